//! API keys and other records that outlive a request
