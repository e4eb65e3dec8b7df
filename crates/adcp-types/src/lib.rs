//! Wire types of the Ad Context Protocol (AdCP), generated from its schemas.
