//! Connections: frames keep their order on them, and they die in the middle, with both sides told or neither. They carry
//! texts and read none.

use riverrun_client::Event;
use riverrun_core::limits;
use tokio::sync::mpsc;

use super::{happening::Happening, world::World};

/// A connection the server heard nothing on for so many milliseconds is closed, as the live server does.
const SILENCE: i64 = 75_000;

/// One connection, between the two ends.
pub(crate) struct Line {
    pub(crate) node: usize,
    pub(crate) life: u64,
    /// The client's number for it.
    pub(crate) number: u64,
    up: Option<mpsc::UnboundedSender<String>>,
    pub(crate) down: Option<mpsc::Receiver<String>>,
    /// Frames keep their order: none arrives before this, either way.
    after: [i64; 2],
    /// It is dead, and neither side knows.
    pub(crate) silent: bool,
    /// A frame was lost on it, and nobody knows.
    pub(crate) holed: bool,
    /// Its reader has stopped reading.
    pub(crate) stopped: bool,
    heard: i64,
}

impl World<'_> {
    /// A client opens a connection.
    pub(crate) fn open_line(&mut self, at: usize, life: u64, number: u64) {
        let name = self.next_line;
        self.next_line += 1;
        let moment = self.delay();
        if self.percent(self.weather.lose) || !self.nodes[at].online {
            return self.at(moment, Happening::Event(at, life, Event::Closed(number, None)));
        }
        let opened = Line {
            node: at,
            life,
            number,
            up: None,
            down: None,
            after: [self.now; 2],
            silent: false,
            holed: false,
            stopped: false,
            heard: self.now,
        };
        self.lines.insert(name, opened);
        self.at(moment, Happening::Connects(name));
    }

    pub(crate) fn line_of(&self, at: usize, number: u64) -> Option<u64> {
        let life = self.nodes[at].life;
        let mine = |line: &Line| (line.node, line.life, line.number) == (at, life, number);
        self.lines.iter().find(|(_, line)| mine(line)).map(|(line, _)| *line)
    }

    /// The connections of a client's present life.
    pub(crate) fn lines_of(&self, at: usize) -> Vec<u64> {
        let life = self.nodes[at].life;
        self.lines.iter().filter(|(_, line)| (line.node, line.life) == (at, life)).map(|(line, _)| *line).collect()
    }

    /// When something on a connection arrives; `None` where it doesn't.
    pub(crate) fn on_line(&mut self, line: u64, way: usize) -> Option<i64> {
        let moment = self.delay();
        if self.percent(self.weather.cut) {
            if way == 1 && self.percent(20) {
                // Something between swallowed it: what follows does not follow on.
                self.lines.get_mut(&line)?.holed = true;
                self.sums.fault("frame lost");
                return None;
            }
            if self.percent(50) {
                self.end_line(line, true);
            } else if let Some(line) = self.lines.get_mut(&line) {
                line.silent = true;
            }
            self.sums.fault("connection lost");
            return None;
        }
        let line = self.lines.get_mut(&line).filter(|line| !line.silent)?;
        if !self.nodes[line.node].online {
            line.silent = true;
            return None;
        }
        line.after[way] = line.after[way].max(moment);
        Some(line.after[way])
    }

    /// A connection reaches the server.
    pub(crate) fn line_connects(&mut self, line: u64) {
        let Some(of) = self.lines.get(&line) else { return };
        let who = self.nodes[of.node].who().clone();
        match self.server.connect(line, &who) {
            Some(ends) => {
                if let Some(of) = self.lines.get_mut(&line) {
                    (of.up, of.down, of.heard) = (Some(ends.up), Some(ends.down), self.now);
                }
            }
            None => self.end_line(line, true),
        }
    }

    /// A frame reaches the server.
    pub(crate) fn frame_arrives(&mut self, line: u64, text: String) {
        if text.contains(r#""type":"push""#) {
            let data = text.find(r#""data":"#).map_or("", |data| &text[data + 7..text.len() - 1]);
            self.note_sent(data, limits::LIVE_PUSH_BYTES);
        }
        self.trace.line(self.now, || format!("server <- line {line} {text}"));
        if let Some(line) = self.lines.get_mut(&line) {
            line.heard = self.now;
            if let Some(up) = &line.up {
                let _ = up.send(text);
            }
        }
    }

    /// What the server has queued goes its way.
    pub(crate) fn drain_lines(&mut self) {
        let lines: Vec<u64> = self.lines.iter().filter(|(_, line)| !line.stopped).map(|(line, _)| *line).collect();
        for line in lines {
            while let Some(text) = self.lines.get_mut(&line).and_then(|line| line.down.as_mut()?.try_recv().ok()) {
                let Some(moment) = self.on_line(line, 1) else { continue };
                if let Some(of) = self.lines.get(&line) {
                    let happening = Happening::Event(of.node, of.life, Event::Frame(of.number, text));
                    self.at(moment, happening);
                }
            }
        }
    }

    /// A connection ends; its client may be told.
    pub(crate) fn end_line(&mut self, line: u64, told: bool) {
        let Some(of) = self.lines.remove(&line) else { return };
        self.streams.remove(&line);
        if let Some(running) = &mut self.server.running {
            running.tasks.end_line(line);
        }
        if told && !of.silent {
            let moment = of.after[1].max(self.now) + 1;
            self.at(moment, Happening::Event(of.node, of.life, Event::Closed(of.number, Some(1006))));
        }
    }

    /// Connections on which nothing was heard for too long.
    pub(crate) fn drop_silent_lines(&mut self) {
        let old = self.now - SILENCE;
        let silent: Vec<u64> = self
            .lines
            .iter()
            .filter(|(_, line)| line.up.is_some() && line.heard < old)
            .map(|(line, _)| *line)
            .collect();
        for line in silent {
            self.end_line(line, true);
        }
    }
}
