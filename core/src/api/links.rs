//! Links into the ReSim app (`resim-api.md` §1.3).

use crate::domain::{BatchId, ProjectId};

/// Where the app of an API lives: a table for the public hosts, `api.` → `app.`
/// for others that have it, nothing where that would be a guess.
pub fn app_origin(api: &str) -> Option<String> {
    let (scheme, rest) = api.split_once("://")?;
    let host = rest.split('/').next()?;
    if scheme != "https" {
        return None;
    }
    let app = match host {
        "api.resim.ai" => "app.resim.ai".to_owned(),
        "api.resim.io" => "app.resim.io".to_owned(),
        // The GovCloud app's host is not known.
        host if host.starts_with("api.") || host.contains(".api.") => {
            host.replacen("api.", "app.", 1)
        }
        _ => return None,
    };
    Some(format!("https://{app}"))
}

/// The app's page of a batch.
pub fn batch(app: &str, project: ProjectId, batch: BatchId) -> String {
    format!(
        "{}/projects/{project}/batches/{batch}",
        app.trim_end_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_is_where_resim_says_and_nowhere_else() {
        for (api, app) in [
            ("https://api.resim.ai/v1/", Some("https://app.resim.ai")),
            ("https://api.resim.io/v1/", Some("https://app.resim.io")),
            (
                "https://x.api.dev.resim.io/v1/",
                Some("https://x.app.dev.resim.io"),
            ),
            ("https://api-gov.resim.ai/v1/", None),
            ("https://myapi.example.com/v1/", None),
            ("http://localhost:8080/v1/", None),
            ("/v1/", None),
        ] {
            assert_eq!(app_origin(api).as_deref(), app, "{api}");
        }
    }

    #[test]
    fn a_batch_link_names_project_and_batch() {
        let link = batch(
            "https://app.resim.ai/",
            ProjectId::from_u128(1),
            BatchId::from_u128(2),
        );
        assert_eq!(
            link,
            "https://app.resim.ai/projects/00000000-0000-0000-0000-000000000001\
             /batches/00000000-0000-0000-0000-000000000002"
        );
    }
}
