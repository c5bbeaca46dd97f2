//! The facts about one site: where it lives, what it consists of, what it may
//! connect to.

use retake_core::config::Config;

/// The first part of every route of the app. A path outside is answered by
/// `404.html`, which is the app too, so that a new page that is missing here
/// still opens, only with the status 404.
pub const ROUTES: [&str; 4] = ["projects", "supervisions", "sign-in", "callback"];

/// One site, as it is about to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The path that it lives below; begins and ends with `/`.
    pub base: String,
    /// Its files below the base, without their compressed copies.
    pub files: Vec<String>,
    /// Other origins that it talks to: APIs and sign-in providers.
    pub connect: Vec<String>,
}

impl Site {
    /// A site below `base`, configured by the text of a `config.json`.
    ///
    /// # Errors
    /// What is wrong with the base or the configuration, a line for each.
    pub fn new(base: &str, files: Vec<String>, config: &str) -> Result<Self, String> {
        check_base(base)?;
        let config = Config::parse(config).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        let mut connect: Vec<String> = config
            .environments
            .iter()
            .flat_map(|it| [Some(it.api.as_str()), it.issuer.as_deref()])
            .flatten()
            .filter_map(origin)
            .collect();
        connect.sort();
        connect.dedup();
        Ok(Self {
            base: base.to_owned(),
            files,
            connect,
        })
    }

    /// Lets the site talk to another origin too: a provider whose token
    /// endpoint lives elsewhere than its issuer.
    ///
    /// # Errors
    /// It is no origin.
    pub fn connect_to(&mut self, address: &str) -> Result<(), String> {
        match origin(address) {
            Some(origin) if origin == address => {
                self.connect.push(origin);
                Ok(())
            }
            _ => Err(format!(
                "{address} is no origin: write it like https://login.example.com"
            )),
        }
    }
}

/// The origin of an absolute address; `None` for a path on the site itself.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    (matches!(scheme, "https" | "http") && !host.is_empty() && host.chars().all(is_host))
        .then(|| format!("{scheme}://{host}"))
}

/// A base is written into configurations of five kinds, so it has only
/// characters that mean nothing special in any of them.
fn check_base(base: &str) -> Result<(), String> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    let inner = base.strip_prefix('/').map(|it| it.strip_suffix('/'));
    let is_fine = match inner {
        Some(None) => base == "/",
        Some(Some(inner)) => inner.split('/').all(is_plain),
        None => false,
    };
    let first = base.split('/').nth(1).unwrap_or("");
    if is_fine && ["v1", "hosting"].contains(&first) {
        Err(format!(
            "{base} is taken: the relay stands at /v1/, and the configurations lie in /hosting/. \
             Choose another path"
        ))
    } else if is_fine {
        Ok(())
    } else {
        Err(format!(
            "{base} is no base path: it begins and ends with /, and has letters, digits, - _ . ~ \
             between, like /tools/retake/"
        ))
    }
}

/// How long browsers may keep a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// A page: asked for anew each time, and stored nowhere.
    Never,
    /// A name that stays while its content may change: asked about each time.
    Ask,
    /// A name that changes with its content.
    Forever,
}

impl Caching {
    /// By the file's name.
    pub fn of(name: &str) -> Self {
        // Trunk and xtask put a hash into the names of what they make.
        let has_hash = name
            .split(['-', '_', '.'])
            .any(|part| part.len() >= 12 && part.bytes().all(|it| it.is_ascii_hexdigit()));
        match name.rsplit('.').next().unwrap_or("") {
            "html" => Self::Never,
            "css" | "js" | "wasm" if has_hash => Self::Forever,
            _ => Self::Ask,
        }
    }

    /// The value of `Cache-Control`.
    pub fn value(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::Ask => "no-cache",
            Self::Forever => "public, max-age=31536000, immutable",
        }
    }
}

/// The content type of a file.
pub fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"environments":[
        {"name":"A","api":"/v1/","issuer":"https://id.example/tenant","client_id":"c"},
        {"name":"B","api":"https://api.example:8443/v1/"}]}"#;

    #[test]
    fn the_origins_of_the_configuration_are_found() {
        let mut site = Site::new("/", Vec::new(), CONFIG).expect("it is fine");
        assert_eq!(
            site.connect,
            ["https://api.example:8443", "https://id.example"]
        );
        assert!(site.connect_to("https://x.example/path").is_err());
        assert!(site.connect_to("https://x.example;").is_err());
        assert!(site.connect_to("https://x.example").is_ok());
    }

    #[test]
    fn a_broken_configuration_is_refused_with_its_field() {
        let why = Site::new("/", Vec::new(), r#"{"environments":[{"name":"x"}]}"#);
        assert!(why.unwrap_err().contains("environments[0].api"));
    }

    #[test]
    fn only_a_name_with_a_hash_is_kept_forever() {
        for (name, caching) in [
            ("retake-0f3a9b1c2d4e5f60_bg.wasm", Caching::Forever),
            ("boot-0f3a9b1c2d4e5f60.js", Caching::Forever),
            ("sign-in-119d85ccbe1daa0.css", Caching::Forever),
            ("tick.js", Caching::Ask),
            ("keeper.js", Caching::Ask),
            ("config.json", Caching::Ask),
            ("favicon-running.svg", Caching::Ask),
            ("index.html", Caching::Never),
        ] {
            assert_eq!(Caching::of(name), caching, "{name}");
        }
    }

    #[test]
    fn a_base_has_nothing_special_in_it() {
        for base in ["/", "/a/", "/some/path/", "/a-b_c.d~e/"] {
            assert_eq!(check_base(base), Ok(()), "{base}");
        }
        for base in [
            "",
            "a",
            "/a",
            "a/",
            "//",
            "/v1/",
            "/v1/x/",
            "/hosting/",
            "/a//b/",
            "/../",
            "/a b/",
            "/a;b/",
            "/a\"/",
            "/$x/",
            "/é/",
        ] {
            assert!(check_base(base).is_err(), "{base}");
        }
    }
}
