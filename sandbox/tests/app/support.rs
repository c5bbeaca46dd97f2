//! A sandbox on a clock that stands still, and short ways to ask it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use retake_sandbox::{Clock, Config, Dropped, Fixtures, app};
use serde_json::{Value, json};
use tower::ServiceExt;

/// 2026-04-20T14:00:00Z, the time at which every sandbox here is started.
pub(crate) const START: i64 = 1_776_693_600_000;
/// The host under which it is called.
pub(crate) const AUTHORITY: &str = "sandbox.test";
/// An empty project, in which batches are ordered.
pub(crate) const HOME: &str = "New project";

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The server would close the connection instead of answering.
    pub(crate) is_dropped: bool,
    /// The body ended in an error.
    pub(crate) is_cut: bool,
}

impl Answer {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (parts, mut stream) = response.into_parts();
        let (mut body, mut is_cut) = (Vec::new(), false);
        while let Some(frame) = stream.frame().await {
            let Ok(frame) = frame else {
                is_cut = true;
                break;
            };
            body.extend_from_slice(frame.data_ref().map_or(&[], |it| &it[..]));
        }
        Self {
            status: parts.status.as_u16(),
            is_dropped: parts.extensions.get::<Dropped>().is_some(),
            headers: parts.headers,
            body: body.into(),
            is_cut,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or("")
    }

    /// The body as JSON. The Go client only decodes what says that it is JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// That the call was refused, in the shape of every error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        let value = self.expect(status);
        let message = value["message"].as_str().expect("a message").to_owned();
        assert!(!message.is_empty());
        message
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A batch that was ordered.
pub(crate) struct Ordered {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The path of the batch, from `/v1` on.
    pub(crate) path: String,
    pub(crate) jobs: Vec<String>,
}

/// A sandbox without a socket.
pub(crate) struct Sandbox {
    pub(crate) app: Router,
    pub(crate) clock: Clock,
}

impl Sandbox {
    /// With the everyday projects.
    pub(crate) fn new() -> Self {
        Self::with("everyday", |_| {})
    }

    pub(crate) fn with(fixtures: &str, change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::manual(START);
        let mut config = Config {
            fixtures: Fixtures::parse(fixtures).expect("the names are right"),
            clock: clock.clone(),
            ..Config::default()
        };
        change(&mut config);
        Self {
            app: app(config),
            clock,
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        match self.app.clone().oneshot(request).await {
            Ok(response) => Answer::read(response).await,
            Err(never) => match never {},
        }
    }

    /// Calls with a good bearer token.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send(request(method, path, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    /// Posts a form, with further headers.
    pub(crate) async fn form(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Answer {
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut builder = Request::builder()
            .method("POST")
            .uri(path)
            .header(HOST, AUTHORITY)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::from(text));
        self.send(request.expect("the words fit")).await
    }

    /// Orders a batch in [`HOME`].
    pub(crate) async fn order(&self, recipe: Value) -> Ordered {
        self.order_named(None, recipe).await
    }

    pub(crate) async fn order_named(&self, name: Option<&str>, recipe: Value) -> Ordered {
        let order = json!({ "project": HOME, "name": name, "recipe": recipe });
        let made = self.post("/sandbox/batches", &order).await.expect(200);
        let text = |name: &str| made[name].as_str().expect("a word").to_owned();
        let jobs = made["jobIDs"].as_array().expect("a list");
        Ordered {
            path: format!(
                "/v1/projects/{}/batches/{}",
                text("projectID"),
                text("batchID")
            ),
            id: text("batchID"),
            name: text("name"),
            jobs: jobs.iter().map(string).collect(),
        }
    }

    /// The ID of a project, found as the CLI finds it.
    pub(crate) async fn project(&self, name: &str) -> String {
        let listed = self
            .get("/v1/projects?orderBy=timestamp&pageSize=100")
            .await;
        let listed = listed.expect(200);
        let projects = listed["projects"].as_array().expect("a list");
        let found = projects.iter().find(|it| it["name"] == name);
        string(&found.expect("the project is there")["projectID"])
    }

    /// Every item of a list, page by page.
    pub(crate) async fn every(&self, path: &str, array: &str) -> Vec<Value> {
        let (mut items, mut token) = (Vec::new(), String::new());
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = if token.is_empty() {
                path.to_owned()
            } else {
                format!("{path}{joint}pageToken={}", encoded(&token))
            };
            let answer = self.get(&page).await.expect(200);
            let found = answer[array].as_array();
            items.extend(found.expect("the array is always there").iter().cloned());
            token = string(&answer["nextPageToken"]);
            if token.is_empty() {
                return items;
            }
            assert!(items.len() < 100_000, "{path} has no end");
        }
    }

    /// Breaks the next calls whose path contains a text.
    pub(crate) async fn break_next(&self, path: &str, fault: Value) {
        let mut order = fault;
        order["path_contains"] = json!(path);
        self.post("/sandbox/faults", &order).await.expect(200);
    }
}

/// A request with a good bearer token.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
    let builder = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, AUTHORITY)
        .header(AUTHORIZATION, "Bearer somebody");
    let request = match body {
        Some(body) => builder
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => builder.body(Body::empty()),
    };
    request.expect("the words fit")
}

/// Escapes a query value.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The text of a JSON string.
#[track_caller]
pub(crate) fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// The words of a field over a list.
pub(crate) fn words(items: &[Value], field: &str) -> Vec<String> {
    items.iter().map(|it| string(&it[field])).collect()
}

/// The claims of a JWT.
#[track_caller]
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let middle = token.split('.').nth(1).expect("a JWT has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(middle).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}
