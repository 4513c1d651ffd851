//! Where templates come from: a folder that is re-read, or the binary itself. Both are asked by the same names and give
//! the same answers. It must never read a file that [`crate::name`] does not call a template.

mod fixed;
mod folder;

use std::path::PathBuf;

use include_dir::Dir;

pub(crate) use fixed::Fixed;
pub(crate) use folder::Folder;

/// The largest template, in bytes. Markup written by hand is a hundredth of it; a larger file got there by mistake.
pub const MAX_TEMPLATE_BYTES: u64 = 1 << 20;

/// Where a [`Views`](crate::Views) takes its templates from: [`embed!`](crate::embed), or the path of a folder.
#[derive(Debug, Clone)]
pub struct Source(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Folder(PathBuf),
    Embedded(&'static Dir<'static>),
}

impl Source {
    /// The folder at `root`, relative to the working directory unless it is absolute.
    pub fn folder(root: impl Into<PathBuf>) -> Self {
        Self(Kind::Folder(root.into()))
    }

    /// The folder [`embed!`](crate::embed) names, in a debug build.
    #[doc(hidden)]
    pub fn of_crate(manifest_dir: &str, root: &str) -> Self {
        Self::folder(root.replacen("$CARGO_MANIFEST_DIR", manifest_dir, 1))
    }

    /// What [`embed_always!`](crate::embed_always) put into the binary.
    #[doc(hidden)]
    pub fn embedded(dir: &'static Dir<'static>) -> Self {
        Self(Kind::Embedded(dir))
    }

    /// Makes the templates ready to be asked for. `follow` says whether a folder's changes are to be seen.
    pub(crate) fn open(self, follow: bool) -> Result<Templates, SourceError> {
        match self.0 {
            Kind::Embedded(dir) => Fixed::embedded(dir).map(Templates::Fixed),
            Kind::Folder(root) => {
                let folder = Folder::open(root)?;
                if follow { Ok(Templates::Folder(folder)) } else { Fixed::read(&folder).map(Templates::Fixed) }
            }
        }
    }
}

impl From<&str> for Source {
    fn from(root: &str) -> Self {
        Self::folder(root)
    }
}

impl From<PathBuf> for Source {
    fn from(root: PathBuf) -> Self {
        Self::folder(root)
    }
}

/// The templates as they can be asked for.
#[derive(Debug, Clone)]
pub(crate) enum Templates {
    Folder(Folder),
    Fixed(Fixed),
}

impl Templates {
    /// The files of all templates, in order.
    pub(crate) fn list(&self) -> Result<Vec<String>, SourceError> {
        match self {
            Self::Folder(folder) => folder.list(),
            Self::Fixed(fixed) => Ok(fixed.iter().map(|(file, _)| file.to_string()).collect()),
        }
    }

    /// The text of `file`; `None` if there is no such template.
    pub(crate) fn read(&self, file: &str) -> Result<Option<String>, SourceError> {
        match self {
            Self::Folder(folder) => folder.read(file),
            Self::Fixed(fixed) => Ok(fixed.get(file).map(str::to_owned)),
        }
    }

    /// Whether there is a template `file`.
    pub(crate) fn has(&self, file: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.has(file),
            Self::Fixed(fixed) => fixed.get(file).is_some(),
        }
    }
}

/// Templates that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The root is missing, or isn't a folder.
    #[error("{} is not a folder of templates", root.display())]
    NotAFolder {
        /// The folder that was asked for.
        root: PathBuf,
    },
    /// The system refused to read a file or a folder.
    #[error("{file} can't be read: {error}")]
    Unreadable {
        /// The path below the root.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A template is not UTF-8.
    #[error("{file} is not UTF-8")]
    NotUtf8 {
        /// The path below the root.
        file: String,
    },
    /// A template is larger than [`MAX_TEMPLATE_BYTES`].
    #[error("{file} is larger than a template may be ({MAX_TEMPLATE_BYTES} bytes)")]
    TooLarge {
        /// The path below the root.
        file: String,
    },
    /// Folders are nested too deeply: most likely a link that leads back to its own parent.
    #[error("the folders below {folder} are nested too deeply")]
    TooDeep {
        /// The path below the root.
        folder: String,
    },
}

/// The application's templates: in a release build embedded in the binary, in a debug build read from their folder and
/// re-read when they change. `embed!()` is the folder `views` beside the `Cargo.toml` of the crate that says it; another
/// one is `embed!("$CARGO_MANIFEST_DIR/templates")`, with exactly that variable in front.
///
/// A debug build does not look into the folder while it compiles, so a changed template never causes a compile. A release
/// build sees every change of a file it holds; a new file alone it sees once something else of the crate has changed,
/// which the line that uses the new template does, or after a `cargo clean -p`.
///
/// ```
/// use riverrun_view::{Views, embed};
///
/// let views = Views::builder(embed!("$CARGO_MANIFEST_DIR/tests/site")).layout("layouts/main").build()?;
/// assert!(views.page("home").with("name", "Ada").render()?.contains("Hello Ada"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! embed {
    () => {
        $crate::embed!("$CARGO_MANIFEST_DIR/views")
    };
    ($root:tt) => {{
        #[cfg(debug_assertions)]
        {
            $crate::Source::of_crate(env!("CARGO_MANIFEST_DIR"), $root)
        }
        #[cfg(not(debug_assertions))]
        {
            $crate::embed_always!($root)
        }
    }};
}

/// As [`embed!`], but a debug build carries its templates too: for one that is copied to another machine.
#[macro_export]
macro_rules! embed_always {
    () => {
        $crate::embed_always!("$CARGO_MANIFEST_DIR/views")
    };
    ($root:tt) => {{
        // The macro below names its crate by this bare word, which the calling crate need not know.
        use $crate::__private::include_dir;
        static VIEWS: include_dir::Dir<'static> = include_dir::include_dir!($root);
        $crate::Source::embedded(&VIEWS)
    }};
}
