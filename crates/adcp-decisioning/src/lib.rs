//! The traits an AdCP seller implements and the one path every call takes.
