//! Bytes held in JavaScript's memory: chunks on their way into KV.

use futures_util::StreamExt;
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;

use super::binding::SUBTLE;
use super::blocks::Blocks;
use super::bytes::Bytes;
use crate::cache::ports::{Fault, Held};
use crate::worker::budget::settled;

/// An array of bytes.
#[derive(Debug, Clone)]
pub(in crate::worker) struct NativeHeld(pub(super) Bytes);

impl Held for NativeHeld {
    fn length(&self) -> u64 {
        u64::from(self.0.length())
    }

    fn front(&self, bytes: u64) -> Self {
        Self(self.0.front(u32::try_from(bytes).unwrap_or(u32::MAX)))
    }

    async fn sha256(&self) -> Result<[u8; 32], Fault> {
        let digest = settled(SUBTLE.with(|subtle| subtle.digest("SHA-256", self.0.view()))).await?;
        let digest: js_sys::ArrayBuffer =
            digest.dyn_into().map_err(|_| Fault::Corrupt("a digest not of bytes"))?;
        let digest = Uint8Array::new(&digest).to_vec();
        digest.try_into().map_err(|_| Fault::Corrupt("a digest of another length"))
    }

    fn to_vec(&self) -> Vec<u8> {
        self.0.view().to_vec()
    }
}

/// The next `bytes` of `blocks` in one array, fewer only where they end; what is left of a block is put back.
pub(super) async fn gather(blocks: &mut Blocks, bytes: u32) -> Result<Bytes, Fault> {
    let whole = Bytes::own(Uint8Array::new_with_length(bytes));
    let mut at = 0;
    while at < bytes {
        let Some(block) = blocks.next().await.transpose()? else { return Ok(whole.front(at)) };
        let taken = block.length().min(bytes - at);
        whole.view().set(block.part(0, taken).view(), at);
        at += taken;
        if taken < block.length() {
            blocks.put_back([block.part(taken, block.length())]);
        }
    }
    Ok(whole)
}
