// Bytecode deserialised ahead of the program, on a thread of its own.
//
// V8 takes some 20 us for each script and 3 us for each KiB of bytecode, and lets that be done beside the program
// (`ConsumeCodeCacheTask`). What a program is going to load is known from its last run. A piece that the thread has not come
// to yet, or is at, is consumed where it is asked for, as ever: the program waits for nothing, so that a thread which waits
// for a collection of garbage cannot hold it up.

#include "ahead.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <memory>

namespace {

using v8::ScriptCompiler;
using Task = ScriptCompiler::ConsumeCodeCacheTask;

enum State : int { kWaiting, kRunning, kReady, kTaken };

struct Piece {
  const uint8_t* data = nullptr;
  int length = 0;
  Task* task = nullptr;
  std::atomic<int> state{kTaken};
};

/// All of a process: only its main thread has it, once.
struct Ahead {
  v8::Isolate* isolate = nullptr;
  /// A function that was compiled with the host's options for all of them.
  v8::Global<v8::Function> origin;
  /// Keeps the bytes.
  v8::Global<v8::Array> codes;
  uint32_t tag = 0;
  uint32_t count = 0;
  Piece* pieces = nullptr;
  std::atomic<bool> stop{false};
  pthread_t thread{};
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
  bool has_ended = false;
};

Ahead* ahead = nullptr;

constexpr size_t kStack = 4 << 20;
/// More than any program has had.
constexpr uint32_t kMaxPieces = 1 << 14;
constexpr long kPatienceNs = 20'000'000;

void* Work(void*) {
  for (uint32_t i = 0; i < ahead->count && !ahead->stop; i++) {
    Piece& piece = ahead->pieces[i];
    int expected = kWaiting;
    if (!piece.state.compare_exchange_strong(expected, kRunning)) continue;
    piece.task->Run();
    piece.state = kReady;
  }
  pthread_mutex_lock(&ahead->mutex);
  ahead->has_ended = true;
  pthread_cond_signal(&ahead->ended);
  pthread_mutex_unlock(&ahead->mutex);
  return nullptr;
}

/// Ends the thread before V8 ends.
void Stop(void*) {
  Ahead* it = ahead;
  if (it == nullptr || it->stop.exchange(true)) return;
  pthread_mutex_lock(&it->mutex);
  while (!it->has_ended) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += kPatienceNs;
    if (until.tv_nsec >= 1'000'000'000) {
      until.tv_nsec -= 1'000'000'000;
      until.tv_sec++;
    }
    pthread_cond_timedwait(&it->ended, &it->mutex, &until);
    if (it->has_ended) break;
    // It may wait for a collection, which only this thread can do.
    pthread_mutex_unlock(&it->mutex);
    it->isolate->LowMemoryNotification();
    pthread_mutex_lock(&it->mutex);
  }
  pthread_mutex_unlock(&it->mutex);
  pthread_join(it->thread, nullptr);
  for (uint32_t i = 0; i < it->count; i++) {
    delete it->pieces[i].task;
    it->pieces[i].task = nullptr;
  }
  it->origin.Reset();
  it->codes.Reset();
}

bool StartThread(Ahead* it) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStack);
  // The program's signals are none of its business.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started = pthread_create(&it->thread, &attributes, Work, nullptr) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace

namespace ahead_of {

/// `begin(origin, codes)`: starts on pieces of bytecode, in this order. True if it did.
void Begin(const v8::FunctionCallbackInfo<v8::Value>& info) {
  info.GetReturnValue().Set(false);
  if (ahead != nullptr || !info[0]->IsFunction() || !info[1]->IsArray()) return;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  node::Environment* environment = node::GetCurrentEnvironment(context);
  v8::Local<v8::Array> codes = info[1].As<v8::Array>();
  if (environment == nullptr || codes->Length() > kMaxPieces) return;
  auto* it = new Ahead;
  it->isolate = isolate;
  it->tag = ScriptCompiler::CachedDataVersionTag();
  it->pieces = new Piece[codes->Length()];
  for (uint32_t i = 0; i < codes->Length(); i++) {
    v8::Local<v8::Value> code;
    if (!codes->Get(context, i).ToLocal(&code) || !code->IsUint8Array()) break;
    v8::Local<v8::Uint8Array> bytes = code.As<v8::Uint8Array>();
    Piece& piece = it->pieces[i];
    piece.data = static_cast<const uint8_t*>(bytes->Buffer()->Data()) + bytes->ByteOffset();
    piece.length = static_cast<int>(bytes->ByteLength());
    piece.task = ScriptCompiler::StartConsumingCodeCache(
        isolate, std::make_unique<ScriptCompiler::CachedData>(piece.data, piece.length));
    if (piece.task != nullptr) piece.state = kWaiting;
    it->count = i + 1;
  }
  it->origin.Reset(isolate, info[0].As<v8::Function>());
  it->codes.Reset(isolate, codes);
  ahead = it;
  if (!StartThread(it)) {
    it->has_ended = it->stop = true;
    it->count = 0;
    return;
  }
  // The one where the environment is torn down, the other where the process just ends.
  node::AddEnvironmentCleanupHook(isolate, Stop, nullptr);
  node::AtExit(environment, Stop, nullptr);
  info.GetReturnValue().Set(true);
}

/// `take(i, text, name)`: what the script of a piece evaluates to; nothing where V8 refuses the bytecode.
void Take(const v8::FunctionCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  Ahead* it = ahead;
  if (it == nullptr || it->isolate != isolate || it->stop || !info[0]->IsUint32() || !info[1]->IsString()) return;
  const uint32_t index = info[0].As<v8::Uint32>()->Value();
  // Flags that were set meanwhile make other bytecode.
  if (index >= it->count || it->tag != ScriptCompiler::CachedDataVersionTag()) return;
  Piece& piece = it->pieces[index];
  Task* task = nullptr;
  int state = kWaiting;
  if (!piece.state.compare_exchange_strong(state, kTaken) && state == kReady) {
    task = piece.task;
    piece.task = nullptr;
    piece.state = kTaken;
  }
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const v8::ScriptOrigin given = it->origin.Get(isolate)->GetScriptOrigin();
  // The wrapper has a line of its own, as where the loader's own way is gone.
  const v8::ScriptOriginOptions options = given.Options();
#if NODE_MAJOR_VERSION >= 22
  const v8::ScriptOrigin origin(info[2], -1, 0,
#else
  const v8::ScriptOrigin origin(isolate, info[2], -1, 0,
#endif
                                options.IsSharedCrossOrigin(), -1, v8::Local<v8::Value>(), options.IsOpaque(), false,
                                false, given.GetHostDefinedOptions());
  ScriptCompiler::Source source(info[1].As<v8::String>(), origin,
                                new ScriptCompiler::CachedData(piece.data, piece.length), task);
  v8::Local<v8::UnboundScript> script;
  v8::Local<v8::Value> value;
  if (!ScriptCompiler::CompileUnboundScript(isolate, &source, ScriptCompiler::kConsumeCodeCache).ToLocal(&script) ||
      source.GetCachedData()->rejected || !script->BindToCurrentContext()->Run(context).ToLocal(&value))
    return;
  info.GetReturnValue().Set(value);
}

}  // namespace ahead_of
