//! `cargo xtask previews`: the shipped folder, served by the tools of hosts that are no
//! server of our own, and the workflow to copy, judged by its schema.
//!
//! Cloudflare Pages and Netlify each have a tool that serves a folder on this machine by
//! the host's own code: it reads `_headers` and `_redirects` as the host does. They are
//! large and change often, so they are no part of `cargo xtask test`; their versions are
//! in `versions.rs`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::dist::{self, Wish};
use crate::failure::{Doing, Outcome, fail};
use crate::files::{read, write};
use crate::playwright::{self, Tries};
use crate::process::{self, Running};
use crate::progress::{Job, run_lanes};
use crate::site::{self, Kind};
use crate::tools::{self, Browser};
use crate::workspace::Workspace;
use crate::{port, sandbox, versions};

/// How long a tool may take to answer for the first time.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Runs the task.
///
/// # Errors
/// When a tool cannot be had, or a site does not do there what it should.
pub(crate) fn previews(workspace: &Workspace, arguments: Arguments) -> Outcome<()> {
    arguments.finish()?;
    tools::node_packages(workspace, "the tests of the previews")?;
    install(workspace)?;
    check_workflow(workspace)?;
    let browser = Browser::ensure(workspace)?;
    let site = site::build(workspace, Kind::Release, true)?;

    let folder = workspace.target.join("previews");
    std::fs::create_dir_all(&folder).doing(format!("create {}", folder.display()))?;
    let api = port::any_free()?;
    let log = workspace.logs().join("sandbox-previews.log");
    let mut running = vec![sandbox::start(workspace, &site, api, &[], Some(&log))?];
    let config = folder.join("config.json");
    write(&config, &configuration(api))?;
    let make = |name: &str| {
        let wish = Wish {
            base: "/".into(),
            config: Some(config.clone()),
            connect: Vec::new(),
            folder: folder.join(name),
        };
        dist::make(workspace, &site, &wish).map(|_| wish.folder)
    };

    let outside = std::env::temp_dir().join(format!("retake-previews-{}", std::process::id()));
    std::fs::create_dir_all(&outside).doing(format!("create {}", outside.display()))?;
    let cloudflare = (port::any_free()?, make("cloudflare")?);
    let mut wrangler = tool(workspace, "wrangler", &outside);
    wrangler
        .args(["pages", "dev", "--ip", "127.0.0.1", "--port"])
        .arg(cloudflare.0.to_string())
        .arg(&cloudflare.1)
        .env("WRANGLER_SEND_METRICS", "false");
    running.push(started(workspace, wrangler, "wrangler", cloudflare.0)?);

    let netlify = (port::any_free()?, make("netlify")?);
    relay(&netlify.1, api)?;
    let mut dev = tool(workspace, "netlify", &outside);
    dev.args(["dev", "--offline", "--no-open", "--dir"])
        .arg(&netlify.1)
        .args(["--port", &netlify.0.to_string()])
        .args(["--staticServerPort", &port::any_free()?.to_string()])
        .env("NETLIFY_CLI_TELEMETRY", "0");
    running.push(started(workspace, dev, "netlify", netlify.0)?);

    let hosts = format!(
        r#"[{{"name":"Cloudflare Pages","url":"http://127.0.0.1:{}/","caches":true,"relays":false}},
            {{"name":"Netlify","url":"http://localhost:{}/","caches":false,"relays":true}}]"#,
        cloudflare.0, netlify.0
    );
    let mut playwright = tools::command(workspace, "playwright");
    playwright
        .current_dir(workspace.e2e())
        .arg("test")
        .env("RETAKE_STORIES", "previews")
        .env("RETAKE_HOSTS", hosts)
        .env("RETAKE_API", format!("http://localhost:{api}"))
        .env("RETAKE_URL", format!("http://localhost:{api}"))
        .env("RETAKE_CHROMIUM", &browser.chromium);
    let ended = playwright::finish(workspace, "previews", &mut playwright, Tries::Once);
    drop(running);
    // What is left there is in nobody's way.
    let _ = std::fs::remove_dir_all(outside);
    ended
}

/// Whether the workflow to copy is one, by the schema of its CI service. It is run there
/// alone.
fn check_workflow(workspace: &Workspace) -> Outcome<()> {
    let root = &workspace.root;
    let mut judge = tool(workspace, "action-validator", root);
    judge.arg(root.join(".github/workflows/site.yml"));
    if process::run(&mut judge)? {
        println!("The workflow is one by its schema.");
        Ok(())
    } else {
        fail("The workflow is none by its schema; the reasons stand above.")
    }
}

/// Installs the tools of the hosts into a folder of their own, without running what their
/// packages would run.
fn install(workspace: &Workspace) -> Outcome<()> {
    let folder = workspace.tools().join("previews");
    let judge = versions::ACTION_VALIDATOR;
    let wanted = [
        format!("wrangler@{}", versions::WRANGLER),
        format!("netlify-cli@{}", versions::NETLIFY),
        format!("@action-validator/core@{judge}"),
        format!("@action-validator/cli@{judge}"),
    ];
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|it| it == wanted.join(" ")) {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).doing(format!("create {}", folder.display()))?;
    write(&folder.join("package.json"), "{\"private\":true}\n")?;
    let job = Job {
        title: "Installing the tools of Cloudflare, Netlify and workflows".into(),
        expect: Some("a download of about 200 MB, once"),
        work: Box::new(|reporter| {
            reporter.run(
                "npm",
                tools::command(workspace, "npm")
                    .args(["install", "--ignore-scripts", "--save-exact", "--no-audit"])
                    .args(["--no-fund", "--loglevel=error"])
                    .args(&wanted)
                    .current_dir(&folder),
            )
        }),
    };
    run_lanes(vec![vec![job]], &workspace.logs())?;
    write(&stamp, &wanted.join(" "))
}

/// A tool of a host, in an empty folder away from the repository: each looks for a project
/// around it, and Netlify's would write into its `.gitignore`.
fn tool(workspace: &Workspace, program: &str, outside: &Path) -> Command {
    let bin = workspace.tools().join("previews/node_modules/.bin");
    let mut command = tools::command(workspace, &bin.join(program).to_string_lossy());
    command.current_dir(outside);
    command
}

fn started(workspace: &Workspace, mut command: Command, name: &str, port: u16) -> Outcome<Running> {
    let log = workspace.logs().join(format!("{name}.log"));
    let file = std::fs::File::create(&log).doing(format!("create {}", log.display()))?;
    let errors = file.try_clone().doing(format!("write {}", log.display()))?;
    command.stdout(file).stderr(errors);
    port::serve(&mut command, port, START_LIMIT, || {
        format!("{name} does not start; its words are in {}.", log.display())
    })
}

/// The line of docs/hosting.md that makes Netlify a relay, to this API.
fn relay(folder: &Path, api: u16) -> Outcome<()> {
    let file = folder.join("_redirects");
    let text = read(&file)?;
    let line = format!("/v1/* http://localhost:{api}/v1/:splat 200\n");
    write(&file, &(text + &line))
}

/// One environment by the relay, one that calls the API directly.
fn configuration(api: u16) -> String {
    format!(
        r#"{{"environments":[
  {{"name":"Relay","api":"/v1/","min_poll_every":"1s","settle_window":"20s","sandbox":true}},
  {{"name":"Direct","api":"http://localhost:{api}/v1/","min_poll_every":"1s","settle_window":"20s","sandbox":true}}
]}}
"#
    )
}
