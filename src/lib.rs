//! Retake's browser app: what a person sees, and the joints between the
//! deciding core (`retake_core`) and the browser.
