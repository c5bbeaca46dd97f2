//! One test for the preface and for each line of the reference's list for
//! stand-ins (`resim-api.md` appendix B), named for its line. The modules beside
//! this one go further into single themes.

mod behaviour;
mod reading;
