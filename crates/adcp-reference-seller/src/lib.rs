//! A complete AdCP seller over an in-process ad server.
