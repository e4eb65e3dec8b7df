//! The seams of the AdCP seller SDK: stores, records, effects, clock, canonical JSON, errors.
