//! AdCP over the Model Context Protocol: server transport and a small client.
