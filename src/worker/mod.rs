//! The shell: the only code that names the platform. It carries things in and out and decides nothing.

mod binding;
mod body;
mod budget;
mod cloudflare_api;
mod config_book;
mod edge;
mod gate;
mod host;
mod kv;
mod limiter;
mod live_config;
mod live_ledger;
mod log;
mod object;
mod platform;
mod purge_ledger;
mod request;
mod response;
mod stay;
mod storage;
mod task;
mod ticket;
mod upstream;
mod warmer;

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, Response};
use worker::Env;

use crate::cache::ports::{Body as _, Clock as _};
use crate::front::{self, Handled};
use crate::purge::audit;
use crate::upkeep;
use body::NativeBody;
use cloudflare_api::Api;
use host::CloudflareHost;
use platform::Context;
use stay::Stay;

/// A request, which `asked` tells (see [`request::ask`]); `answer` is called with the response.
#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
pub fn fetch(asked: String, request: Request, env: Env, context: Context, answer: Function) {
    task::spawn(async move {
        let response = respond(&asked, &request, env, context).await;
        platform::call(&answer, &response);
    });
}

async fn respond(asked: &str, request: &Request, env: Env, context: Context) -> Response {
    log::install();
    let config = live_config::current(&env, &context).await;
    log::set_level(config.log.level);
    live_ledger::keep_up(&env, &context, &config).await;
    let context = Rc::new(context);
    let stay = Stay::of(&context);
    let host = Rc::new(CloudflareHost::bind(env, stay.clone()));
    let Some(ask) = request::ask(asked, &config) else {
        return response::bare(400);
    };
    match front::handle(host.as_ref(), &ask, &config).await {
        Handled::Answer { reply, owed } => {
            if let Some(owed) = owed {
                task::stay(&context, async move {
                    front::settle(host.as_ref(), &ask, &config, owed).await;
                });
            }
            let response = response::native(reply, &context);
            stay.end();
            response
        }
        Handled::Admin(admitted) => {
            let body = request.body().map_or_else(NativeBody::empty, NativeBody::of_stream);
            let reply = front::administer(host.as_ref(), &ask, &config, admitted, body).await;
            response::native(reply, &context)
        }
        Handled::PassThrough { url, marks } => {
            upstream::pass_through(request, &url, &marks).await.unwrap_or_else(|fault| {
                tracing::warn!(fault = %fault, "pass-through failed");
                response::bare(502)
            })
        }
    }
}

/// By the clock, as wrangler.jsonc has it; `done` is called when all is done.
#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
pub fn scheduled(cron: String, env: Env, done: Function) {
    task::spawn(async move {
        log::install();
        let config = live_config::reread(&env).await;
        log::set_level(config.log.level);
        let host = CloudflareHost::bind(env.clone(), Stay::without_viewer());
        audit::follow(&Api, &host, &host, &config, host.now_ms()).await;
        if upkeep::is_due(&cron) {
            live_ledger::look_now(&env).await;
            upkeep::run(&host, &config).await;
        }
        platform::call(&done, &JsValue::UNDEFINED);
    });
}
