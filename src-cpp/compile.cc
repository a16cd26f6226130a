// Compiles modules as Node.js' own loader does: to functions of five parameters, with bytecode that is read in the shard's
// mapping. `vm.Script` takes some 10 us longer for each module: for its options, the wrapper, and the objects around script
// and bytecode.
//
// This file uses only V8's public interface, whose headers come with Node.js, so one binary fits all versions of a major.
// The host-defined options with which Node.js implements `import()` are not public; they are taken from a function that
// Node's own loader has compiled.

#include "compile.h"

#include <dlfcn.h>

#include <climits>
#include <cstdint>
#include <cstring>

namespace {

/// The addon's C functions, in src-rs/binding/code.rs. `Take` returns the owner of the bytecode with this number and sets
/// `data` and `length` to its bytes, which stay valid until `Release` is called with that owner. `Give` copies bytes and
/// returns their number, or 0.
using Take = void* (*)(uint32_t number, const uint8_t** data, size_t* length);
using Release = void (*)(void* owner);
using Give = uint32_t (*)(const uint8_t* data, size_t length);

constexpr int kParameters = 5;
constexpr const char* kNames[kParameters] = {"exports", "require", "module", "__filename", "__dirname"};

/// V8 passes a script's host-defined options to Node.js when the script calls `import()`. Their last element is a symbol
/// that tells Node.js which loader to use; this is the description of the symbol for the default loader.
constexpr char kDefaultLoader[] = "vm_dynamic_import_default_internal";

/// What `compile` and `code` need in one environment.
struct Compiler {
  v8::Global<v8::Data> options;
  v8::Global<v8::String> names[kParameters];
  Take take = nullptr;
  Release release = nullptr;
  Give give = nullptr;
};

v8::Local<v8::String> text(v8::Isolate* isolate, const char* value) {
  return v8::String::NewFromUtf8(isolate, value, v8::NewStringType::kInternalized).ToLocalChecked();
}

v8::Local<v8::Value> hold(v8::Isolate* isolate, Compiler* compiler) {
#if NODE_MAJOR_VERSION >= 26
  return v8::External::New(isolate, compiler, v8::kExternalPointerTypeTagDefault);
#else
  return v8::External::New(isolate, compiler);
#endif
}

Compiler* held(v8::Local<v8::Value> value) {
#if NODE_MAJOR_VERSION >= 26
  return static_cast<Compiler*>(value.As<v8::External>()->Value(v8::kExternalPointerTypeTagDefault));
#else
  return static_cast<Compiler*>(value.As<v8::External>()->Value());
#endif
}

v8::Local<v8::Data> element(v8::Local<v8::Context> context, v8::Local<v8::FixedArray> array, int index) {
#if NODE_MAJOR_VERSION >= 26
  return array->Get(index);
#else
  return array->Get(context, index);
#endif
}

v8::ScriptOrigin origin(v8::Isolate* isolate, v8::Local<v8::Value> name, int line, v8::Local<v8::Data> options) {
#if NODE_MAJOR_VERSION >= 24
  return v8::ScriptOrigin(name, line, 0, true, -1, v8::Local<v8::Value>(), false, false, false, options);
#else
  return v8::ScriptOrigin(isolate, name, line, 0, true, -1, v8::Local<v8::Value>(), false, false, false, options);
#endif
}

/// `compile(text, filename, code, line)`: returns the function, or an array with only the function if V8 rejected the
/// bytecode. `code` is the number of the bytecode, or 0.
void Compile(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (!info[0]->IsString() || !info[1]->IsString()) return;
  using v8::ScriptCompiler;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const Compiler* compiler = held(info.Data());
  v8::Local<v8::String> names[kParameters];
  for (int i = 0; i < kParameters; i++) names[i] = compiler->names[i].Get(isolate);
  const uint8_t* data = nullptr;
  size_t length = 0;
  const uint32_t number = info[2]->IsUint32() ? info[2].As<v8::Uint32>()->Value() : 0;
  void* owner = number != 0 ? compiler->take(number, &data, &length) : nullptr;
  const bool known = owner != nullptr && length > 0 && length <= INT_MAX;
  const int line = info[3]->IsInt32() ? info[3].As<v8::Int32>()->Value() : 0;
  bool rejected = false;
  v8::Local<v8::Function> made;
  {
    // `source` owns the CachedData object, but not its bytes. V8 does not use these after CompileFunction has returned.
    ScriptCompiler::Source source(info[0].As<v8::String>(),
                                  origin(isolate, info[1], line, compiler->options.Get(isolate)),
                                  known ? new ScriptCompiler::CachedData(data, static_cast<int>(length)) : nullptr);
    const auto how = known ? ScriptCompiler::kConsumeCodeCache : ScriptCompiler::kNoCompileOptions;
    const bool compiled =
        ScriptCompiler::CompileFunction(context, &source, kParameters, names, 0, nullptr, how).ToLocal(&made);
    rejected = compiled && known && source.GetCachedData()->rejected;
  }
  if (owner != nullptr) compiler->release(owner);
  // On failure, V8 has already thrown the syntax error.
  if (made.IsEmpty()) return;
  if (!rejected) return info.GetReturnValue().Set(made);
  v8::Local<v8::Value> alone[] = {made};
  info.GetReturnValue().Set(v8::Array::New(isolate, alone, 1));
}

/// `code(function, failing)`: creates the bytecode of a function that has run, and returns its number. The function must come
/// from `compile`: for others V8 ends the process. V8 thereby forgets where the lines of the script end, and would number them
/// differently in the message of the error that ends a failing program. So if `failing`, it is made to find them again.
void Code(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (!info[0]->IsFunction()) return;
  const auto function = info[0].As<v8::Function>();
  const auto* data = v8::ScriptCompiler::CreateCodeCacheForFunction(function);
  if (info[1]->IsTrue()) (void)function->GetScriptLineNumber();
  if (data == nullptr) return;
  const uint32_t number = data->length > 0 ? held(info.Data())->give(data->data, static_cast<size_t>(data->length)) : 0;
  delete data;
  info.GetReturnValue().Set(number);
}

}  // namespace

void OfferCompiler(const v8::FunctionCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const auto refuse = [&](const char* reason) { info.GetReturnValue().Set(text(isolate, reason)); };
  if (!info[0]->IsObject() || !info[2]->IsFunction()) return refuse("arguments");
  v8::String::Utf8Value path(isolate, info[1]);
  void* addon = *path != nullptr ? dlopen(*path, RTLD_NOW | RTLD_NOLOAD) : nullptr;
  if (addon == nullptr) return refuse("addon");
  const auto take = reinterpret_cast<Take>(dlsym(addon, "warmshard_code_take_1"));
  const auto release = reinterpret_cast<Release>(dlsym(addon, "warmshard_code_release_1"));
  const auto give = reinterpret_cast<Give>(dlsym(addon, "warmshard_code_give_1"));
  if (take == nullptr || release == nullptr || give == nullptr) return refuse("entries");
  v8::Local<v8::Data> options = info[2].As<v8::Function>()->GetScriptOrigin().GetHostDefinedOptions();
  if (options.IsEmpty() || !options->IsFixedArray()) return refuse("options");
  v8::Local<v8::FixedArray> array = options.As<v8::FixedArray>();
  const int last = array->Length() - 1;
  v8::Local<v8::Data> id = last < 0 ? v8::Local<v8::Data>() : element(context, array, last);
  if (id.IsEmpty() || !id->IsValue() || !id.As<v8::Value>()->IsSymbol()) return refuse("loader");
  v8::String::Utf8Value name(isolate, id.As<v8::Symbol>()->Description(isolate));
  if (*name == nullptr || std::strcmp(*name, kDefaultLoader) != 0) return refuse("loader");

  auto* compiler = new Compiler;
  compiler->take = take;
  compiler->release = release;
  compiler->give = give;
  compiler->options.Reset(isolate, options);
  for (int i = 0; i < kParameters; i++) compiler->names[i].Reset(isolate, text(isolate, kNames[i]));
  // When the hook runs, no JavaScript of the environment runs any more, so nobody uses the compiler.
  node::AddEnvironmentCleanupHook(isolate, [](void* it) { delete static_cast<Compiler*>(it); }, compiler);
  v8::Local<v8::Value> data = hold(isolate, compiler);
  const auto put = [&](const char* name, v8::FunctionCallback callback) {
    v8::Local<v8::Function> value;
    if (v8::Function::New(context, callback, data, 4, v8::ConstructorBehavior::kThrow).ToLocal(&value))
      info[0].As<v8::Object>()->Set(context, text(isolate, name), value).Check();
  };
  put("compile", Compile);
  put("code", Code);
}
