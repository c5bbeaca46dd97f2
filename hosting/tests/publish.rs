//! `publish.sh` for S3 with `CloudFront`, run with a stand-in for `aws` that writes down
//! what it is told.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use retake_hosting::{Site, cloudfront};

const CONFIG: &str = r#"{"environments":[{"name":"R","api":"/v1/"}]}"#;
const FILES: [&str; 5] = [
    "app-0123456789abcdef.js",
    "app-0123456789abcdef_bg.wasm",
    "config.json",
    "favicon.svg",
    "index.html",
];

/// A folder as `dist` makes it, with the stand-in beside it.
struct Published {
    folder: PathBuf,
}

impl Published {
    fn new(name: &str, base: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("publish-{name}"));
        // What an earlier run left would be taken for this one's.
        let _ = fs::remove_dir_all(&folder);
        let site = Site::new(base, FILES.map(String::from).into(), CONFIG).expect("it is fine");
        let scripts = folder.join("dist/hosting/cloudfront");
        fs::create_dir_all(&scripts).expect("a folder");
        fs::write(scripts.join("publish.sh"), cloudfront::publish(&site)).expect("a script");
        let tools = folder.join("tools");
        fs::create_dir_all(&tools).expect("a folder");
        let aws = tools.join("aws");
        let stand_in =
            "#!/bin/sh\necho \"$*\" >> \"$TOLD\"\ncase \"$*\" in *\"$FAILS\"*) exit 1;; esac\n";
        fs::write(&aws, stand_in).expect("a stand-in");
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).expect("it runs");
        Self { folder }
    }

    /// Whether it says that it worked, and what `aws` was told.
    fn run(&self, fails: &str) -> (bool, Vec<String>) {
        let told = self.folder.join("told");
        let _ = fs::remove_file(&told);
        let path = std::env::var("PATH").unwrap_or_default();
        let tools = self.folder.join("tools");
        let status = Command::new("sh")
            .arg(self.folder.join("dist/hosting/cloudfront/publish.sh"))
            .args(["BUCKET", "DISTRIBUTION"])
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("TOLD", &told)
            .env("FAILS", fails)
            .status()
            .expect("sh");
        let told = fs::read_to_string(told).unwrap_or_default();
        (status.success(), told.lines().map(String::from).collect())
    }
}

#[test]
fn every_file_goes_up_with_its_type_and_caching_and_the_page_last() {
    for (name, base) in [("root", "/"), ("below", "/some/path/")] {
        let (worked, told) = Published::new(name, base).run("nothing");
        assert!(worked, "{told:?}");
        let below = base.trim_start_matches('/');
        assert_eq!(told.len(), FILES.len() + 1);
        for (file, kind, caching) in [
            (
                FILES[0],
                "text/javascript; charset=utf-8",
                "public, max-age=31536000, immutable",
            ),
            (
                FILES[1],
                "application/wasm",
                "public, max-age=31536000, immutable",
            ),
            ("config.json", "application/json", "no-cache"),
            ("favicon.svg", "image/svg+xml", "no-cache"),
            ("index.html", "text/html; charset=utf-8", "no-store"),
        ] {
            let line = format!(
                "s3 cp {below}{file} s3://BUCKET/{below}{file} --content-type {kind} \
                 --cache-control {caching} --only-show-errors"
            );
            assert_eq!(told.iter().filter(|it| **it == line).count(), 1, "{line}");
        }
        let page = format!("s3 cp {below}index.html ");
        assert!(told[FILES.len() - 1].starts_with(&page), "{told:?}");
        let last = format!(
            "cloudfront create-invalidation --distribution-id DISTRIBUTION --paths \
             {base}index.html {base}config.json"
        );
        assert_eq!(told[FILES.len()], last);
    }
}

#[test]
fn a_file_that_does_not_go_up_keeps_the_old_page() {
    let (worked, told) = Published::new("failing", "/").run("favicon.svg");
    assert!(!worked);
    assert!(told.iter().all(|it| !it.contains("index.html")), "{told:?}");
}
