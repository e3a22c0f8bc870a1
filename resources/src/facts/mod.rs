//! Facts: what policies may know about the machine.
