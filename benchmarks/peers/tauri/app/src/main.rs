//! The peer: a minimal Tauri 2 application. `bench-tauri PAGE` shows one page of the frontend folder.

use std::io::Write;
use std::time::Instant;
use tauri::{ipc, Emitter};

#[tauri::command]
fn echo(x: i64) -> i64 {
    x
}

/// One line to standard output, where the harness reads it.
#[tauri::command]
fn report(line: String) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// A body echoed as it came.
#[tauri::command]
fn body(request: ipc::Request<'_>) -> ipc::Response {
    match request.body() {
        ipc::InvokeBody::Raw(bytes) => ipc::Response::new(bytes.clone()),
        ipc::InvokeBody::Json(_) => ipc::Response::new(Vec::new()),
    }
}

/// The number of bytes that a body has.
#[tauri::command]
fn upload(request: ipc::Request<'_>) -> usize {
    match request.body() {
        ipc::InvokeBody::Raw(bytes) => bytes.len(),
        ipc::InvokeBody::Json(_) => 0,
    }
}

/// The file named by BENCH_FILE as raw bytes.
#[tauri::command]
async fn read() -> Result<ipc::Response, String> {
    let path = std::env::var("BENCH_FILE").map_err(|e| e.to_string())?;
    std::fs::read(path).map(ipc::Response::new).map_err(|e| e.to_string())
}

/// `count` events, each with a number; gives back the milliseconds that sending took.
#[tauri::command]
async fn flood(app: tauri::AppHandle, count: u32) -> Result<f64, String> {
    let start = Instant::now();
    for n in 0..count {
        app.emit("tick", n).map_err(|e| e.to_string())?;
    }
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

fn main() {
    let page = std::env::args().nth(1).unwrap_or_else(|| "hello.html".into());
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![echo, report, body, upload, read, flood])
        .setup(move |app| {
            tauri::WebviewWindowBuilder::new(app, "main", tauri::WebviewUrl::App(page.into()))
                .title("Hello")
                .inner_size(800.0, 600.0)
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!())
        .expect("the application could not start");
}
