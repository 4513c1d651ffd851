//! The simulation's own executor: tasks that are polled one at a time, in the order the seed picks. It has no thread, no
//! timer and no queue; a task is ready when something woke it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    /// The connection it belongs to and ends with; 0 for none.
    line: u64,
    work: Work,
    flag: Arc<Flag>,
    waker: Waker,
}

/// What running tasks ask of the executor.
#[derive(Default)]
struct Wishes {
    next: u64,
    begin: Vec<(u64, u64, Work)>,
    end: BTreeSet<u64>,
}

/// Begins and ends tasks from inside of tasks.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<RefCell<Wishes>>);

impl Spawner {
    /// Begins a task and says its number.
    pub(crate) fn begin(&self, line: u64, work: impl Future<Output = ()> + 'static) -> u64 {
        let mut wishes = self.0.borrow_mut();
        wishes.next += 1;
        let number = wishes.next;
        wishes.begin.push((number, line, Box::pin(work)));
        number
    }

    /// Ends a task: it is never polled again.
    pub(crate) fn end(&self, number: u64) {
        self.0.borrow_mut().end.insert(number);
    }
}

/// See the file's head.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: BTreeMap<u64, Task>,
    pub(crate) spawner: Spawner,
}

impl Tasks {
    /// The tasks that were woken since they were polled last, in order.
    pub(crate) fn ready(&mut self) -> Vec<u64> {
        self.absorb();
        let woken = self.tasks.iter().filter(|(_, task)| task.flag.0.load(Ordering::SeqCst));
        woken.map(|(number, _)| *number).collect()
    }

    /// Polls one.
    pub(crate) fn poll(&mut self, number: u64) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        task.flag.0.store(false, Ordering::SeqCst);
        if task.work.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
            self.tasks.remove(&number);
        }
        self.absorb();
    }

    /// Ends everything that belongs to a connection.
    pub(crate) fn end_line(&mut self, line: u64) {
        self.absorb();
        self.tasks.retain(|_, task| task.line != line);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    fn absorb(&mut self) {
        let (begin, end) = {
            let mut wishes = self.spawner.0.borrow_mut();
            (std::mem::take(&mut wishes.begin), std::mem::take(&mut wishes.end))
        };
        for (number, line, work) in begin {
            let flag = Arc::new(Flag(AtomicBool::new(true)));
            let waker = Waker::from(flag.clone());
            self.tasks.insert(number, Task { line, work, flag, waker });
        }
        // A task that ends drops what it holds, and that may wake others: not inside of a borrow.
        for number in end {
            drop(self.tasks.remove(&number));
        }
    }
}
