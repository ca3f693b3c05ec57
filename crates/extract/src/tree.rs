//! The tree as it grows: what the archive said so far, and the same on the disk.
//!
//! Every member is held against what is there already, so that nothing is ever written through a link, over
//! another file, or below something that is not a directory. Nobody else writes into the staging directory.

use crate::Summary;
use crate::error::{ExtractError, Refusal, shown};
use crate::limits::{Limits, Options};
use crate::name::{LinkTarget, MemberPath};
use crate::nodes::{Kind, Known, Nodes};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What an archive says of a member beside its name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    /// Permission bits.
    pub(crate) mode: u32,
    /// When it was changed last, in seconds since 1970.
    pub(crate) modified: Option<u64>,
}

/// Bits that are kept: nobody but the owner may write, and nothing runs with another's rights.
const KEPT: u32 = 0o755;
/// What the owner needs of a directory to write to it, to move it into place and to remove it.
const DIRECTORY: u32 = 0o700;
/// Bytes of the links that can only be looked at in the end: a tree has a few of them, if any.
const LINK_BYTES: usize = 4 << 20;

/// A tree below a directory that only this process writes to.
pub(crate) struct Tree<'a> {
    root: &'a Path,
    options: &'a Options,
    nodes: Nodes,
    /// Links that go through directories before they go up.
    links: Vec<(MemberPath, LinkTarget)>,
    /// Bytes of their paths.
    link_bytes: usize,
    summary: Summary,
    /// The directory that was looked at last: members stand side by side.
    last_parent: Option<MemberPath>,
    buffer: Vec<u8>,
}

/// Bytes that are read and written at once.
const BUFFER: usize = 128 << 10;

impl<'a> Tree<'a> {
    pub(crate) fn new(root: &'a Path, options: &'a Options) -> Self {
        Self {
            root,
            options,
            nodes: Nodes::default(),
            links: Vec::new(),
            link_bytes: 0,
            summary: Summary::default(),
            last_parent: None,
            buffer: vec![0; BUFFER],
        }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        &self.options.limits
    }

    /// The path of a member, which counts as one.
    pub(crate) fn path(&mut self, name: &[u8]) -> Result<MemberPath, ExtractError> {
        self.summary.entries = self.summary.entries.saturating_add(1);
        if self.summary.entries > self.limits().entries {
            return Err(ExtractError::Limit(format!("more than {} members", self.limits().entries)));
        }
        MemberPath::parse(name, self.limits()).map_err(|refusal| ExtractError::member(name, refusal))
    }

    /// Adds a file of exactly `length` bytes.
    pub(crate) fn file(
        &mut self,
        path: &MemberPath,
        attributes: Attributes,
        length: u64,
        content: &mut dyn Read,
    ) -> Result<(), ExtractError> {
        self.grow(path, length)?;
        self.enter(path, Kind::File)?;
        let place = self.place(path);
        let mut file = create(&place, attributes.mode & KEPT).map_err(disk(&place))?;
        copy(content, &mut file, length, &mut self.buffer, &place)?;
        if let Some(modified) = attributes.modified {
            // A time that the file system cannot say is no reason to refuse a file.
            let _ = SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_secs(modified))
                .map(|time| file.set_modified(time));
        }
        Ok(())
    }

    fn grow(&mut self, path: &MemberPath, length: u64) -> Result<(), ExtractError> {
        let limits = self.limits();
        self.summary.bytes = self.summary.bytes.saturating_add(length);
        let (what, limit) = if length > limits.file_bytes {
            ("has more", limits.file_bytes)
        } else if self.summary.bytes > limits.total_bytes {
            ("takes the archive to more", limits.total_bytes)
        } else {
            return Ok(());
        };
        let member = shown(path.as_str().as_bytes());
        Err(ExtractError::Limit(format!("member {member} {what} than {limit} bytes")))
    }

    /// Adds a directory; one that is there already is taken for the same.
    pub(crate) fn directory(
        &mut self,
        path: &MemberPath,
        attributes: Attributes,
    ) -> Result<(), ExtractError> {
        if path.is_root() {
            return Ok(());
        }
        let place = self.place(path);
        if self.enter(path, Kind::Directory)? {
            fs::create_dir(&place).map_err(disk(&place))?;
        }
        set_mode(&place, attributes.mode & KEPT | DIRECTORY).map_err(disk(&place))
    }

    /// Adds a symbolic link.
    pub(crate) fn symlink(&mut self, path: &MemberPath, target: &[u8]) -> Result<(), ExtractError> {
        let refuse = |why| link_refused(path, target, why);
        if path.is_root() {
            return Err(refuse("and has no name"));
        }
        let parsed = LinkTarget::parse(target, path, self.limits()).map_err(refuse)?;
        self.enter(path, Kind::Symlink)?;
        let place = self.place(path);
        symlink(&parsed.text, &place).map_err(disk(&place))?;
        if !parsed.through.is_empty() {
            let through = parsed.through.iter().map(|part| part.as_str().len());
            let bytes = through.chain([path.as_str().len(), target.len()]);
            self.link_bytes = bytes.fold(self.link_bytes, usize::saturating_add);
            if self.link_bytes > LINK_BYTES {
                let what = format!("links that go down and up again take more than {LINK_BYTES} bytes");
                return Err(ExtractError::Limit(what));
            }
            self.links.push((path.clone(), parsed));
        }
        Ok(())
    }

    /// Adds a further name of a file that is there already.
    pub(crate) fn hard_link(&mut self, path: &MemberPath, target: &[u8]) -> Result<(), ExtractError> {
        let refuse = |why| link_refused(path, target, why);
        let original =
            MemberPath::parse(target, self.limits()).map_err(|_| refuse("which is no usable name"))?;
        if self.kind(&original) != Some(Kind::File) {
            return Err(refuse("which is no file before it in the archive"));
        }
        self.enter(path, Kind::File)?;
        let (from, to) = (self.place(&original), self.place(path));
        fs::hard_link(from, &to).map_err(disk(&to))
    }

    /// Looks at what can only be known at the end.
    pub(crate) fn finish(self) -> Result<Summary, ExtractError> {
        for (path, target) in &self.links {
            let strays = target.through.iter().any(|part| self.kind(part) != Some(Kind::Directory));
            if strays {
                let text = target.text.as_os_str().as_encoded_bytes();
                return Err(link_refused(path, text, "which goes up from something that is not a directory"));
            }
        }
        Ok(self.summary)
    }

    fn place(&self, path: &MemberPath) -> PathBuf {
        self.root.join(path.as_str())
    }

    fn kind(&self, path: &MemberPath) -> Option<Kind> {
        if path.is_root() {
            return Some(Kind::Directory);
        }
        match self.nodes.get(&self.key(path), path.as_str())? {
            Known::This(kind) => Some(kind),
            Known::Alike => None,
        }
    }

    fn key(&self, path: &MemberPath) -> String {
        if self.options.allow_case_collisions { path.as_str().to_owned() } else { path.folded() }
    }

    /// Notes what stands at a path, and makes the directories above it. Whether it is new: only a directory may
    /// be there already.
    fn enter(&mut self, path: &MemberPath, kind: Kind) -> Result<bool, ExtractError> {
        let Some(parent) = path.parent() else {
            return Err(refused(path, Refusal::Name("it is that of the archive's root")));
        };
        if self.last_parent.as_ref() != Some(&parent) {
            self.make_parents(&parent, path)?;
            self.last_parent = Some(parent);
        }
        self.note(path, kind)
    }

    fn note(&mut self, path: &MemberPath, kind: Kind) -> Result<bool, ExtractError> {
        let key = self.key(path);
        match self.nodes.get(&key, path.as_str()) {
            None => {
                self.nodes.insert(&key, path.as_str(), kind);
                Ok(true)
            }
            Some(Known::This(Kind::Directory)) if kind == Kind::Directory => Ok(false),
            Some(Known::This(_)) => Err(refused(path, Refusal::Duplicate)),
            Some(Known::Alike) => Err(refused(path, Refusal::Case(self.alike(path)))),
        }
    }

    /// The name that stands where a file system may take this one for it. It is in the same directory, since
    /// those above would have been refused.
    fn alike(&self, path: &MemberPath) -> String {
        let place = self.place(path);
        let entries = place.parent().and_then(|directory| fs::read_dir(directory).ok());
        let names =
            entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut paths = names.map(|name| path.beside(&name));
        let alike = paths.find(|other| other != path && self.key(other) == self.key(path));
        alike.map_or_else(|| "another name".to_owned(), |other| shown(other.as_str().as_bytes()))
    }

    /// The directories above a member, of which an archive need not speak.
    fn make_parents(&mut self, parent: &MemberPath, of: &MemberPath) -> Result<(), ExtractError> {
        if parent.is_root() {
            return Ok(());
        }
        match self.kind(parent) {
            Some(Kind::Directory) => return Ok(()),
            Some(_) => {
                return Err(refused(of, Refusal::Below(shown(parent.as_str().as_bytes()))));
            }
            None => {}
        }
        if let Some(above) = parent.parent() {
            self.make_parents(&above, of)?;
        }
        self.note(parent, Kind::Directory)?;
        let place = self.place(parent);
        fs::create_dir(&place).map_err(disk(&place))?;
        set_mode(&place, KEPT).map_err(disk(&place))
    }
}

fn refused(path: &MemberPath, refusal: Refusal) -> ExtractError {
    ExtractError::member(path.as_str().as_bytes(), refusal)
}

fn link_refused(path: &MemberPath, target: &[u8], why: &'static str) -> ExtractError {
    refused(path, Refusal::Link { target: shown(target), why })
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> ExtractError + use<> {
    let path = path.to_owned();
    |source| ExtractError::Disk { path, source }
}

/// Copies exactly so many bytes. What reading fails by is the archive's fault, what writing fails by the disk's.
fn copy(
    from: &mut dyn Read,
    to: &mut File,
    length: u64,
    buffer: &mut [u8],
    place: &Path,
) -> Result<(), ExtractError> {
    let mut left = length;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(space) = buffer.get_mut(..most) else { break };
        let read = from.read(space).map_err(crate::meter::failure)?;
        let Some(bytes) = space.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Err(ExtractError::Malformed(format!("it ends within the file {}", place.display())));
        };
        to.write_all(bytes).map_err(disk(place))?;
        left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok(())
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}
