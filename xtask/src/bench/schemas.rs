//! Documents per second that the validators check, beside what parsing the same text costs.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use adcp_schemas::{Part, Validator, tool_validator};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::sample::Sampler;

/// How long each figure is measured.
const WINDOW: Duration = Duration::from_millis(1_500);

/// Runs the bench; in a release build of its own when this is not one.
pub(super) fn run() -> Result<()> {
    if cfg!(debug_assertions) {
        let status = Command::new(env!("CARGO"))
            .args(["run", "--release", "--quiet", "-p", "xtask", "--", "bench", "schemas"])
            .current_dir(crate::root())
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "the bench failed");
        return Ok(());
    }
    println!("floor: serde_json parses the text into a `Value`; ratio: validated per parsed document");
    let request = tool_validator("create_media_buy", Part::Request)?;
    measure("create_media_buy request", &request, &purchase())?;
    let response = tool_validator("get_products", Part::Response)?;
    measure("get_products response, 10 products", &response, &products()?)
}

/// Measures one document against its validator.
fn measure(name: &str, validator: &Validator, document: &Value) -> Result<()> {
    validator.validate(document).with_context(|| format!("the {name} of the bench is not valid"))?;
    let mut spoilt = document.clone();
    spoilt["adcp_major_version"] = json!("three");
    ensure!(!validator.is_valid(&spoilt), "the spoilt {name} of the bench is valid");
    let text = document.to_string();
    let parse = rate(|| drop(black_box(serde_json::from_str::<Value>(black_box(&text)))));
    println!("{name}: {} bytes", text.len());
    println!("  parse     {parse:>10.0} documents/s");
    let check = rate(|| _ = black_box(validator.is_valid(black_box(document))));
    println!("  is_valid  {check:>10.0} documents/s   ratio {:.2}", check / parse);
    let check = rate(|| _ = black_box(validator.validate(black_box(document))));
    println!("  validate  {check:>10.0} documents/s   ratio {:.2}", check / parse);
    let explain = rate(|| _ = black_box(validator.validate(black_box(&spoilt))));
    println!("  refused   {explain:>10.0} documents/s   ratio {:.2}", explain / parse);
    Ok(())
}

/// Calls per second, on one thread.
fn rate(mut work: impl FnMut()) -> f64 {
    let warm = Instant::now();
    while warm.elapsed() < WINDOW / 5 {
        work();
    }
    let begin = Instant::now();
    let mut calls = 0_u32;
    while begin.elapsed() < WINDOW {
        (0..16).for_each(|_| work());
        calls += 16;
    }
    f64::from(calls) / begin.elapsed().as_secs_f64()
}

/// A purchase of four packages.
fn purchase() -> Value {
    let package = |number: u32| {
        json!({
            "product_id": format!("homepage-{number}"),
            "pricing_option_id": "cpm-usd",
            "budget": 12_500.0,
            "pacing": "even",
            "targeting_overlay": { "geo_countries": ["US", "CA"] }
        })
    };
    json!({
        "idempotency_key": "purchase-0123456789abcdef",
        "adcp_major_version": 3,
        "account": { "account_id": "account-1" },
        "brand": { "domain": "brand.example" },
        "packages": [package(1), package(2), package(3), package(4)],
        "start_time": "asap",
        "end_time": "2026-12-31T23:59:59Z",
        "context": { "trace": "bench" }
    })
}

/// A response with ten products, each the fullest sample of its schema.
fn products() -> Result<Value> {
    let sampler = Sampler::new(adcp_schemas::Bundle::embedded().clone());
    let samples = sampler.samples("core/product.json")?.samples;
    let fullest = samples.iter().max_by_key(|sample| sample.instance.to_string().len());
    let product = &fullest.context("the sampler made no product")?.instance;
    let products: Vec<Value> = (0..10)
        .map(|number| {
            let mut product = product.clone();
            product["product_id"] = json!(format!("product-{number}"));
            product
        })
        .collect();
    Ok(json!({ "status": "completed", "cache_scope": "public", "products": products }))
}
