//! Go duration strings, both ways (`resim-api.md` §7). Placeholder until filled.
