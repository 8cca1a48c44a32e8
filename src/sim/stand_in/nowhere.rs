//! Where requests to Azure go while there is no simulated Azure behind them.

use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};

/// Refuses every request before it is sent.
#[derive(Debug)]
pub(super) struct Nowhere;

#[async_trait::async_trait]
impl HttpClient for Nowhere {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let host = request.url().host_str().unwrap_or_default();
        Err(azure_core::Error::with_message(ErrorKind::Connection, format!("nothing simulates `{host}`")))
    }
}
