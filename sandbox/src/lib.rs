//! A local ReSim.
