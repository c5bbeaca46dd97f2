//! A log file of a test.

/// One file that a test left behind (`resim-api.md` §2.2, Log). Hostile text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Identity.
    pub id: Option<String>,
    /// File name.
    pub name: String,
    /// Folder below the output root; empty at the root.
    pub folder: String,
    /// Bytes.
    pub size: Option<u64>,
    /// The API's word for what it is.
    pub kind: Option<String>,
    /// Presigned link that makes a browser save the file. It expires, and the
    /// bearer token is never sent to it.
    pub download_url: Option<String>,
    /// Kept in the customer's own storage, where no link leads.
    pub external: bool,
}
