//! Caddy: one file, which takes address, folder and API from the environment.

use crate::headers;
use crate::site::{Caching, Site};

/// The whole Caddyfile, relay included.
pub fn caddyfile(site: &Site) -> String {
    let base = &site.base;
    let pattern = base.replace('.', "\\.");
    let without_slash = base.trim_end_matches('/');
    let headers: String = headers::of(site)
        .iter()
        .map(|(name, value)| format!("\t\t\t{name} \"{value}\"\n"))
        .collect();
    let hsts = headers::value(site, "Strict-Transport-Security");
    let policy = headers::OF_THE_RELAY;
    let hidden: String = headers::NOT_FROM_THE_API
        .iter()
        .map(|name| format!("\t\t\t\theader_down -{name}\n"))
        .collect();
    let door = if base == "/" {
        String::new()
    } else {
        format!("\t\t@door path {without_slash}\n\t\tredir @door {base} 308\n\n")
    };
    let (never, ask, forever) = (
        Caching::Never.value(),
        Caching::Ask.value(),
        Caching::Forever.value(),
    );
    format!(
        "# Retake below {base}, for Caddy. The environment says what is yours:
#   RETAKE_ADDRESS  the address of the site, such as retake.example.com
#   RETAKE_ROOT     the folder of the site
#   RETAKE_API      the ReSim API that the relay calls
# Caddy gets and renews the certificate by itself.

{{$RETAKE_ADDRESS:retake.example.com}} {{
\troot * {{$RETAKE_ROOT:/srv/retake}}

\troute {{
\t\t# The relay: calls below /v1/ go to the ReSim API, so that the browser sees one
\t\t# origin and needs no leave from the API (CORS). Write \"api\": \"/v1/\" into
\t\t# config.json, or take this block away. The caller's own token is passed on,
\t\t# cookies are not; a rerun that was sent is never sent again.
\t\thandle /v1/* {{
\t\t\t@other not method GET POST PATCH
\t\t\theader @other {{
\t\t\t\tContent-Security-Policy \"{policy}\"
\t\t\t\tX-Content-Type-Options nosniff
\t\t\t\tStrict-Transport-Security \"{hsts}\"
\t\t\t\t-Server
\t\t\t}}
\t\t\trespond @other 405
\t\t\trequest_body {{
\t\t\t\tmax_size 1MB
\t\t\t}}
\t\t\treverse_proxy {{$RETAKE_API:https://api.resim.ai}} {{
\t\t\t\theader_up Host {{upstream_hostport}}
\t\t\t\theader_up -Cookie
\t\t\t\theader_up -Origin
\t\t\t\theader_up -Referer
{hidden}\t\t\t\theader_down -Server
\t\t\t\theader_down Content-Security-Policy \"{policy}\"
\t\t\t\theader_down Cross-Origin-Resource-Policy same-origin
\t\t\t\theader_down Cache-Control no-store
\t\t\t\theader_down X-Content-Type-Options nosniff
\t\t\t\theader_down Strict-Transport-Security \"{hsts}\"
\t\t\t\ttransport http {{
\t\t\t\t\tdial_timeout 5s
\t\t\t\t\twrite_timeout 10s
\t\t\t\t\tresponse_header_timeout 40s
\t\t\t\t}}
\t\t\t}}
\t\t}}

\t\theader {{
{headers}\t\t\t-Server
\t\t}}

{door}
\t\t# Files whose names change with their content.
\t\t@kept path_regexp ^{pattern}[^/]*[-_][0-9a-f]{{12,}}(_bg)?\\.(css|js|wasm)$
\t\thandle @kept {{
\t\t\theader Cache-Control \"{forever}\"
\t\t\tfile_server {{
\t\t\t\tprecompressed br gzip
\t\t\t}}
\t\t}}

\t\t# The page again, for hosts that know no other way.
\t\t@twin path {base}404.html
\t\thandle @twin {{
\t\t\theader Cache-Control \"{never}\"
\t\t\tfile_server {{
\t\t\t\tprecompressed br gzip
\t\t\t}}
\t\t}}

\t\t# Files that keep their names. A missing one must not look like the app.
\t\t@asked {{
\t\t\tpath_regexp ^{pattern}[^/]+\\.[a-z0-9]+$
\t\t\tnot path {base}index.html
\t\t}}
\t\thandle @asked {{
\t\t\theader Cache-Control \"{ask}\"
\t\t\tfile_server {{
\t\t\t\tprecompressed br gzip
\t\t\t}}
\t\t}}

\t\t# The page, for every route of the app.
\t\thandle {base}* {{
\t\t\theader Cache-Control \"{never}\"
\t\t\t# Not index.html itself: the file server would send people to its folder.
\t\t\trewrite * {base}
\t\t\tfile_server {{
\t\t\t\tprecompressed br gzip
\t\t\t}}
\t\t}}

\t\theader Cache-Control \"{never}\"
\t\trespond 404
\t}}

\t# A missing file is not missing for ever, and has the headers too.
\thandle_errors {{
\t\theader {{
{headers}\t\t\tCache-Control \"{never}\"
\t\t\t-Server
\t\t}}
\t\trespond \"{{http.error.status_code}} {{http.error.status_text}}\"
\t}}
}}
"
    )
}
