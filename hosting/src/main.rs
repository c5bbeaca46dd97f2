//! Writes what hosts need into the folder of a built site. `cargo xtask dist`
//! runs it; it builds nothing itself.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use retake_hosting::{Site, files, licences, sbom};

const USAGE: &str = "retake-hosting --site DIR --base /PATH/ [--connect ORIGIN]...\n\
     retake-hosting --check CONFIG.JSON --base /PATH/ [--connect ORIGIN]...\n\n\
     DIR is what a host publishes; the site itself is below DIR/PATH/. --check only\n\
     says whether base path and configuration can be used.";

struct Options {
    folder: Option<PathBuf>,
    check: Option<PathBuf>,
    base: String,
    connect: Vec<String>,
}

fn read_options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut folder = None;
    let mut check = None;
    let mut base = "/".to_owned();
    let mut connect = Vec::new();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        match word.as_str() {
            "--site" => folder = Some(PathBuf::from(value)),
            "--check" => check = Some(PathBuf::from(value)),
            "--base" => base = value,
            "--connect" => connect.push(value),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(Options {
        folder,
        check,
        base,
        connect,
    })
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("Could not read {}: {error}.", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("Could not write {}: {error}.", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

/// The files of the site, without their compressed copies.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("Could not read {}: {error}.", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            let ending = name.rsplit('.').next().unwrap_or("");
            !matches!(ending, "br" | "gz") && !name.starts_with('_') && name != "404.html"
        })
        .collect();
    names.sort();
    Ok(names)
}

/// The top of the checkout.
fn root() -> Result<&'static Path, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.ok_or_else(|| "the checkout has a top folder".to_owned())
}

/// What is compiled for the browser, as cargo tells.
fn metadata() -> Result<String, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root()?)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "wasm32-unknown-unknown"])
        .output()
        .map_err(|error| format!("Could not run cargo: {error}."))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The licence files of a folder, in the order of their names.
fn licences_in(folder: &Path) -> Result<Vec<String>, String> {
    let unreadable = |error| format!("Could not read {}: {error}.", folder.display());
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|it| licences::is_licence(&it.file_name().to_string_lossy()))
        .map(|it| it.path())
        .filter(|it| it.is_file())
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path);
        // Names of authors may be in another encoding.
        bytes
            .map(|it| String::from_utf8_lossy(&it).into_owned())
            .map_err(|error| format!("Could not read {}: {error}.", path.display()))
    };
    files.iter().map(read).collect()
}

/// Under which terms the shipped site may be copied.
fn terms(metadata: &str) -> Result<String, String> {
    let mut crates = Vec::new();
    for it in sbom::shipped(metadata)? {
        let texts = licences_in(&it.folder)?;
        crates.push((it, texts));
    }
    Ok(licences::paper(&licences_in(root()?)?, &crates))
}

fn site(options: &Options, files: Vec<String>, config: &Path) -> Result<Site, String> {
    let mut site = Site::new(&options.base, files, &read(config)?)
        .map_err(|why| format!("{} cannot be used:\n{why}", config.display()))?;
    for origin in &options.connect {
        site.connect_to(origin)?;
    }
    Ok(site)
}

fn run() -> Result<(), String> {
    let options = read_options(std::env::args().skip(1))?;
    if let Some(config) = &options.check {
        return site(&options, Vec::new(), config).map(|_| ());
    }
    let published = options.folder.as_ref().ok_or(USAGE)?;
    let folder = published.join(options.base.trim_matches('/'));
    let metadata = metadata()?;
    // Before the files are listed: people may read it on the site.
    write(&folder.join("licences.txt"), &terms(&metadata)?)?;
    let site = site(&options, names(&folder)?, &folder.join("config.json"))?;
    for (name, text) in files(&site) {
        write(&published.join(name), &text)?;
    }
    let lock = read(&root()?.join("Cargo.lock"))?;
    write(
        &published.join("hosting/sbom.cdx.json"),
        &sbom::bill(&metadata, &lock)?,
    )
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
