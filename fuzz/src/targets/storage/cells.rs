//! Damage to the cells of a database: read from a fuzzer's bytes, done, and undone. What the tables themselves refuse (a
//! text where they take numbers only) is not done: no program could have left it there.

use riverrun_sqlite::rusqlite::{Connection, params_from_iter, types::Value};

/// One cell's new value.
pub(crate) struct Damage {
    table: usize,
    row: usize,
    column: usize,
    value: Value,
}

impl Damage {
    /// A line each: three numbers, each a digit or a letter, and the value. What does not read is left out.
    pub(crate) fn read(data: &[u8]) -> Vec<Self> {
        data.split(|byte| *byte == b'\n').filter_map(Self::line).take(8).collect()
    }

    fn line(line: &[u8]) -> Option<Self> {
        let number = |byte: &u8| char::from(*byte).to_digit(36).map(|digit| digit as usize);
        let [table, row, column, value @ ..] = line else { return None };
        Some(Self { table: number(table)?, row: number(row)?, column: number(column)?, value: value_of(value) })
    }
}

/// A number, nothing, or a text, which need not be UTF-8.
fn value_of(bytes: &[u8]) -> Value {
    match bytes {
        [] => Value::Null,
        [b'=', text @ ..] => Value::Blob(text.into()),
        _ => match std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()) {
            Some(number) => Value::Integer(number),
            None => Value::Blob(bytes.into()),
        },
    }
}

/// The tables as they were, to go back to.
pub(crate) struct Cells(Vec<Table>);

struct Table {
    name: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Cells {
    /// Remembers these tables.
    pub(crate) fn of(raw: &Connection, tables: &[&'static str]) -> Self {
        Self(tables.iter().map(|name| Table::of(raw, name).expect("the table can be read")).collect())
    }

    /// Does the damage, as far as the tables take it, and says which cells became something else.
    pub(crate) fn damage(&self, raw: &Connection, damages: &[Damage]) -> Vec<(String, String, Value)> {
        let mut done = Vec::new();
        for damage in damages {
            let table = &self.0[damage.table % self.0.len()];
            if table.rows.is_empty() {
                continue;
            }
            let row = &table.rows[damage.row % table.rows.len()];
            let at = damage.column % table.columns.len();
            let same = match (&row[at], &damage.value) {
                (Value::Text(old), Value::Blob(new)) => old.as_bytes() == &new[..],
                (old, new) => old == new,
            };
            if !same && table.update(raw, row, at, &damage.value) {
                done.push((table.name.into(), table.columns[at].clone(), damage.value.clone()));
            }
        }
        done
    }

    /// Makes the tables what they were.
    pub(crate) fn restore(&self, raw: &Connection) {
        raw.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        for table in &self.0 {
            table.restore(raw).expect("what was there fits");
        }
        raw.execute_batch("COMMIT").expect("nobody else writes");
    }
}

impl Table {
    fn of(raw: &Connection, name: &'static str) -> riverrun_sqlite::rusqlite::Result<Self> {
        let mut read = raw.prepare(&format!("SELECT * FROM {name}"))?;
        let columns: Vec<String> = read.column_names().map(Into::into).collect();
        let rows = read.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())?;
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(Self { name, columns, rows })
    }

    /// A text goes in as its bytes, whatever they are. Rows are found by all their cells.
    fn update(&self, raw: &Connection, row: &[Value], at: usize, value: &Value) -> bool {
        let is = |(place, column): (usize, &String)| format!("{column} IS ?{}", place + 2);
        let all: Vec<_> = self.columns.iter().enumerate().map(is).collect();
        let new = if matches!(value, Value::Blob(_)) { "CAST(?1 AS TEXT)" } else { "?1" };
        let sql = format!("UPDATE {} SET {} = {new} WHERE {}", self.name, self.columns[at], all.join(" AND "));
        let changed = raw
            .prepare_cached(&sql)
            .and_then(|mut update| update.execute(params_from_iter(std::iter::once(value).chain(row))));
        changed == Ok(1)
    }

    fn restore(&self, raw: &Connection) -> riverrun_sqlite::rusqlite::Result<()> {
        raw.prepare_cached(&format!("DELETE FROM {}", self.name))?.execute([])?;
        let places: Vec<_> = (1..=self.columns.len()).map(|at| format!("?{at}")).collect();
        let mut insert = raw.prepare_cached(&format!("INSERT INTO {} VALUES ({})", self.name, places.join(", ")))?;
        self.rows.iter().try_for_each(|row| insert.execute(params_from_iter(row)).map(drop))
    }
}
