//! nginx: a file to include in a server, one for the relay, and a whole server
//! as an example.

use crate::headers;
use crate::site::{Caching, Site, content_type};

/// Locations, headers and caching of the site.
pub fn retake(site: &Site) -> String {
    let base = &site.base;
    // In a pattern a dot means any character.
    let pattern = base.replace('.', "\\.");
    let without_slash = base.trim_end_matches('/');
    let door = if base == "/" {
        String::new()
    } else {
        let headers = answer(site, Caching::Never);
        format!("location = {without_slash} {{\n{headers}    return 308 {base};\n}}\n\n")
    };
    // A site below a path is one part of its folder: the rest is for nobody.
    let rest = if base == "/" {
        String::new()
    } else {
        format!(
            "\n# Nothing else of the folder is sent. Where the server has a `location /` of its own, take
# this one away, and put only the folder {without_slash} of the site into the server's root.
location / {{\n{}    return 404;\n}}\n",
            answer(site, Caching::Never)
        )
    };
    let page = answer(site, Caching::Never);
    let kept = answer(site, Caching::Forever);
    let asked = answer(site, Caching::Ask);
    let brotli: String = ["css", "js", "wasm"]
        .iter()
        .map(|ending| {
            let kind = content_type(&format!("x.{ending}"));
            format!(
                "location ~ ^{pattern}[^/]+\\.{ending}\\.br$ {{\n    internal;\n    types {{ }}\n    \
                 default_type \"{kind}\";\n    gzip_static off;\n    add_header Content-Encoding br;\n    \
                 add_header Vary Accept-Encoding;\n{kept}}}\n\n"
            )
        })
        .collect();
    format!(
        "# Retake below {base}, for nginx: include this in a `server` whose `root` is the folder
# of the site. server.conf beside it is a whole server; relay.conf adds the relay
# to the ReSim API.

# It changes nothing of what else the server serves: types and the rest stand in the
# locations. The site ships a .gz and a .br beside each file; brotli needs no module.

{door}# The page, for every route of the app.
location {base} {{
    rewrite ^ {base}index.html last;
}}
location = {base}index.html {{
{LIKE}{page}}}
location = {base}404.html {{
{LIKE}{page}    try_files $uri =404;
}}

# Files whose names change with their content.
location ~ \"^{pattern}[^/]*[-_][0-9a-f]{{12,}}(?:_bg)?\\.(?:css|js|wasm)$\" {{
    if ($http_accept_encoding ~ \"\\bbr\\b\") {{
        rewrite ^(.*)$ $1.br last;
    }}
{LIKE}{kept}    try_files $uri =404;
}}
{brotli}# Files that keep their names. A missing one must not look like the app.
location ~ ^{pattern}[^/]+\\.[a-z0-9]+$ {{
{LIKE}{asked}    try_files $uri =404;
}}
{rest}"
    )
}

/// How the files of the site are sent, in each location of files.
const LIKE: &str = "    gzip_static on;
    gzip_vary on;
    charset utf-8;
    charset_types text/css text/javascript text/plain;
    types {
        text/html html;
        text/css css;
        text/javascript js;
        application/wasm wasm;
        application/json json;
        image/svg+xml svg;
        text/plain txt;
    }
";

/// The lines that add every header, and how long the answer may be kept. Each
/// location needs them all: one `add_header` in a location drops those of the
/// server around it. A name that is missing is not missing for ever, so that answer
/// is not kept.
fn answer(site: &Site, caching: Caching) -> String {
    let also_errors = if caching == Caching::Forever {
        ""
    } else {
        " always"
    };
    ["    server_tokens off;\n".to_owned()]
        .into_iter()
        .chain(
            headers::of(site)
                .iter()
                .map(|(name, value)| format!("    add_header {name} \"{value}\" always;\n")),
        )
        .chain([format!(
            "    add_header Cache-Control \"{}\"{also_errors};\n",
            caching.value()
        )])
        .collect()
}

/// The relay of `/v1/` to the ReSim API.
pub fn relay(site: &Site) -> String {
    let hsts = headers::value(site, "Strict-Transport-Security");
    let policy = headers::OF_THE_RELAY;
    let hidden: String = headers::NOT_FROM_THE_API
        .iter()
        .map(|name| format!("    proxy_hide_header {name};\n"))
        .collect();
    format!(
        "# The relay: calls below /v1/ of this site go to the ReSim API, so that the browser
# sees one origin and needs no leave from the API (CORS). Include a copy of it, one
# that no update of the site's folder writes over, in the same `server` as
# retake.conf, and write \"api\": \"/v1/\" into config.json. For another
# deployment put its host in place of api.resim.ai, three times. What is yours to
# check ends in `# yours`.
# It answers below /v1/ of the whole host: one relay for a hostname.
#
# It adds no power: the caller's own token is passed on, cookies are not.
#
# nginx asks for the API's address when it starts, and does not start without an
# answer. The address may change: reload nginx each day, or with nginx 1.27.3 or
# newer name the API in an `upstream` with `server api.resim.ai:443 resolve`.

location /v1/ {{
    server_tokens off;
    limit_except GET POST PATCH {{
        deny all;
    }}
    proxy_pass https://api.resim.ai; # yours
    proxy_http_version 1.1;
    proxy_set_header Host api.resim.ai; # yours
    proxy_set_header Connection \"\";
    proxy_set_header Cookie \"\";
    proxy_set_header Origin \"\";
    proxy_set_header Referer \"\";
    proxy_ssl_server_name on;
    proxy_ssl_name api.resim.ai; # yours
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 4;
    # Debian's package ca-certificates; Fedora: /etc/pki/tls/certs/ca-bundle.crt.
    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt; # yours
    # A rerun that was sent is never sent again by the relay: whether it was
    # applied is found out by reading.
    proxy_next_upstream off;
    # Together 55 s, as a rerun is one small write and one small answer. With the time that Retake itself waits (35 s) that stays below the
    # default settle_window of config.json (1m35s).
    proxy_connect_timeout 5s;
    proxy_send_timeout 10s;
    proxy_read_timeout 40s;
    client_max_body_size 1m;
    # Nothing of the API acts on the site, its origin or its browser.
{hidden}    # Ours stand below; two of a kind would leave it to the browser. Whatever the API
    # or something before it answers, no browser runs it as a page of this site.
    proxy_hide_header Content-Security-Policy;
    proxy_hide_header Cross-Origin-Resource-Policy;
    proxy_hide_header Cache-Control;
    proxy_hide_header X-Content-Type-Options;
    proxy_hide_header Strict-Transport-Security;
    add_header Cache-Control \"no-store\" always;
    add_header X-Content-Type-Options \"nosniff\" always;
    add_header Content-Security-Policy \"{policy}\" always;
    add_header Cross-Origin-Resource-Policy \"same-origin\" always;
    add_header Strict-Transport-Security \"{hsts}\" always;
}}
"
    )
}

/// A whole server, to start from.
pub fn server() -> String {
    "# A whole server for Retake. Put it where your nginx reads servers from (Debian:
# /etc/nginx/sites-enabled/), and change the lines that end in `# yours`.
#
# The certificate has to be there first: certbot certonly --nginx -d your-host.
# Without IPv6 on the machine take the lines with [::] away.

server {
    listen 80;
    listen [::]:80;
    server_name retake.example.com; # yours
    server_tokens off;
    return 308 https://$host$request_uri;
}

server {
    # For nginx before 1.25.1 (Debian 12: 1.22). Newer ones take it with a warning;
    # they want `listen 443 ssl;` and a line of its own: `http2 on;`.
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name retake.example.com; # yours
    ssl_certificate /etc/letsencrypt/live/retake.example.com/fullchain.pem; # yours
    ssl_certificate_key /etc/letsencrypt/live/retake.example.com/privkey.pem; # yours
    ssl_protocols TLSv1.2 TLSv1.3;
    server_tokens off;

    root /srv/retake; # yours
    include /srv/retake/hosting/nginx/retake.conf; # yours
    # The relay to the ReSim API: a copy of relay.conf, since an update of the folder
    # would write over what you changed. Without a relay take the line away.
    include /etc/nginx/retake-relay.conf; # yours
}
"
    .to_owned()
}
