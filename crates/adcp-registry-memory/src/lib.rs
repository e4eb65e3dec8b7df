//! A volatile AdCP task registry, for tests and demos.
