//! The files under `corpus/<target>/`. Their names say where they come from:
//! `seed-…` by hand, `kept-…` led a hunt to a new class of outcome, `found-…`
//! once broke a promise.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One file.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The folder of a target.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target)
}

/// The files of a target in order of their names, so that a hunt is a function
/// of its seed. None if there is no folder.
///
/// # Errors
/// A file cannot be read.
pub fn read(target: &str) -> io::Result<Vec<Entry>> {
    let folder = folder(target);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(folder)?
        .map(|file| {
            let file = file?;
            Ok(Entry {
                name: file.file_name().to_string_lossy().into_owned(),
                bytes: fs::read(file.path())?,
            })
        })
        .collect::<io::Result<Vec<Entry>>>()?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Writes a file of this origin; its name ends with a hash of its bytes.
///
/// # Errors
/// It cannot be written.
pub fn write(target: &str, origin: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{origin}-{:016x}", hash(bytes)));
    fs::write(&path, bytes)?;
    Ok(path)
}

/// FNV-1a: the same on every machine, unlike the standard library's.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
