//! Link settings of the addon.

fn main() {
    napi_build::setup();

    // A background thread of the addon may outlive the environment that loaded it, such as a worker.
    // If the library were unloaded with that environment, the thread would crash. So it is never unloaded.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
