//! The sandbox from outside: its HTTP answers held against the reference of the
//! ReSim API (`resim-api.md`), without a socket wherever none is needed.
//!
//! Why apart from the code: the samples and the rules here are written from the
//! reference and share no type with the sandbox, so that a line misread there
//! is not misread here in the same way.
//!
//! Where to start: `appendix` has a test for each line of the reference's list
//! for stand-ins and for its preface; the other modules go into one theme each.

mod appendix;
mod calls;
mod cancel;
mod cors;
mod faults;
mod paths;
mod relay;
mod relay_tls;
mod rerun;
mod samples;
mod sign_in;
mod site;
mod socket;
mod status;
mod support;
mod unattended;
mod world;
