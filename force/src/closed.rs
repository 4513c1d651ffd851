//! Where nothing may be written, or nothing read: the server ends at once, with exit code 1 and one sentence that names the
//! file. As root the bits of a file mean nothing, so the server is then started as another user.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail, ensure};

use crate::{
    options::World,
    report::Line,
    server::{Plan, Start},
};

/// `nobody`, on every Linux.
const NOBODY: u32 = 65_534;

/// What is tried: the name, the bits of the directory, of the file, and whether the file is there.
const CASES: [(&str, u32, u32); 5] = [
    ("a read-only directory", 0o555, 0o644),
    ("a read-only file", 0o755, 0o444),
    ("an unreadable file", 0o755, 0o000),
    ("a read-only file in a read-only directory", 0o555, 0o444),
    ("a directory nobody may enter", 0o000, 0o644),
];

pub(crate) fn run(world: &World) -> Result<Line> {
    // Everybody may enter what lies here.
    let base = std::env::temp_dir().join(format!("riverrun-force-{}", std::process::id()));
    fs::create_dir_all(&base)?;
    let done = cases(world, &base);
    for case in 0..CASES.len() {
        let _ = fs::set_permissions(base.join(format!("case-{case}")), Permissions::from_mode(0o755));
    }
    let _ = fs::remove_dir_all(&base);
    done
}

fn cases(world: &World, base: &Path) -> Result<Line> {
    fs::set_permissions(base, Permissions::from_mode(0o755))?;
    let user = (fs::metadata(base)?.uid() == 0).then_some(NOBODY);
    let program = base.join("server");
    fs::copy(&world.programs.server, &program)?;
    let mut refused = 0;
    for (case, (name, directory_bits, file_bits)) in CASES.into_iter().enumerate() {
        let database = made(world, &program, &base.join(format!("case-{case}")), user)?;
        let directory = database.parent().unwrap_or(base);
        fs::set_permissions(&database, Permissions::from_mode(file_bits))?;
        fs::set_permissions(directory, Permissions::from_mode(directory_bits))?;
        told(&Plan::new(&program, &database, &world.env).user(user), name)?;
        refused += 1;
    }
    for (name, database) in
        [("no such directory", base.join("missing/app.db")), ("a directory in the file's place", base.to_path_buf())]
    {
        told(&Plan::new(&program, &database, &world.env).user(user), name)?;
        refused += 1;
    }
    let figures = format!("{refused} starts refused with exit code 1 and one sentence that names the file");
    Ok(Line::new("closed", figures, true))
}

/// A database that was in use, and was left in good order.
fn made(world: &World, program: &Path, folder: &Path, user: Option<u32>) -> Result<PathBuf> {
    fs::create_dir(folder)?;
    if let Some(user) = user {
        std::os::unix::fs::chown(folder, Some(user), None)?;
    }
    let database = folder.join("app.db");
    match Plan::new(program, &database, &world.env).user(user).start()? {
        Start::Up(server) => drop(server.stop()?),
        Start::Ended(ended) => bail!("the server does not start where it may:\n{}", ended.said),
    }
    Ok(database)
}

fn told(plan: &Plan, name: &str) -> Result<()> {
    match plan.start()? {
        Start::Up(_) => bail!("{name}: the server started all the same"),
        Start::Ended(ended) => {
            ensure!(ended.explained() && !ended.panicked(), "{name}: no sentence but {:?}", ended.said);
            let names_it = ended.said.contains(&plan.database.display().to_string());
            ensure!(names_it && ended.said.lines().count() == 1, "{name}: {:?}", ended.said);
            Ok(())
        }
    }
}
