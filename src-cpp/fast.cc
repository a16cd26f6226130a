// The fast door: look-ups that optimised JavaScript calls directly, without Node-API in between.
//
// V8 can call a C function straight from optimised code if the function was declared with its argument types
// ("fast API calls"). Node.js does not ship the header of that interface, so the few necessary declarations are
// repeated below, and they differ between majors. Therefore there is one binary for each NODE_MODULE_VERSION, and
// the layouts are checked before the first use (`disagreement`): objects made by V8's own exported constructors, and
// the description that Node.js has made of one of its own functions, must read as declared here. If anything
// differs, the door is not opened, and all look-ups go through Node-API.
//
// There is no logic here: a string's bytes are passed to a C function of the addon, which returns a small integer.
// Strings that are not flat one-byte strings (cons, sliced, external), and calls from code that is not optimised,
// go to the slow callbacks, which copy the bytes first. For two-byte strings and anything that is not a string the
// answer is `kOrdinary`, which sends the caller to Node-API.

#include <dlfcn.h>
#include <node.h>

#include "compile.h"

#include <cstdint>
#include <cstring>
#include <memory>

namespace v8 {

class CTypeInfo {
 public:
  enum Type : uint8_t { kVoid, kBool, kUint8, kInt32, kUint32, kInt64, kUint64, kFloat32, kFloat64,
                        kPointer, kV8Value, kSeqOneByteString, kApiObject, kAny, kOptions = 255 };
  Type type;
#if NODE_MAJOR_VERSION < 25
  uint8_t sequence;
#endif
  uint8_t flags;
  constexpr CTypeInfo(Type t)
      : type(t),
#if NODE_MAJOR_VERSION < 25
        sequence(0),
#endif
        flags(0) {
  }
  bool is(Type t) const { return std::memcmp(this, &(const CTypeInfo&)CTypeInfo(t), sizeof *this) == 0; }
};

class V8_EXPORT CFunctionInfo {
 public:
#if NODE_MAJOR_VERSION >= 21
  enum class Int64Representation : uint8_t { kNumber = 0, kBigInt = 1 };
  CFunctionInfo(const CTypeInfo& result, unsigned int count, const CTypeInfo* arguments,
                Int64Representation integers = Int64Representation::kNumber);
#else
  CFunctionInfo(const CTypeInfo& result, unsigned int count, const CTypeInfo* arguments);
#endif
  const CTypeInfo result;
#if NODE_MAJOR_VERSION >= 21
  const Int64Representation integers;
#endif
  const unsigned int count;
  const CTypeInfo* const arguments;
};

class V8_EXPORT CFunction {
 public:
  CFunction(const void* address, const CFunctionInfo* info);
  const void* const address;
  const CFunctionInfo* const info;
};

}  // namespace v8

namespace {

using v8::CFunction;
using v8::CFunctionInfo;
using v8::CTypeInfo;

/// What V8 passes for a one-byte string.
struct OneByteString {
  const uint8_t* data;
  uint32_t length;
};

/// The addon's C functions: src-rs/binding/fast.rs.
using Entry = int32_t (*)(uint32_t shard, const uint8_t* key, uint32_t length);
Entry core_get = nullptr;
Entry core_has = nullptr;
Entry core_ahead = nullptr;
/// Gives a shard memory for copies. The shard calls `release(share)` when it no longer uses the memory. Returns 1 if it took
/// the memory.
int32_t (*core_slab)(uint32_t shard, void* data, size_t length, void* share, void (*release)(void*)) = nullptr;

/// The answer that sends the caller to Node-API.
constexpr int32_t kOrdinary = -6;
/// The answer for a hit whose window number is in the exchange block, as for every hit, and which must not be kept.
constexpr int32_t kNeverKeep = -7;

int32_t FastGet(v8::Local<v8::Object>, const OneByteString& key, uint32_t shard) {
  return core_get(shard, key.data, key.length);
}

int32_t FastHas(v8::Local<v8::Object>, const OneByteString& key, uint32_t shard) {
  return core_has(shard, key.data, key.length);
}

int32_t FastAhead(v8::Local<v8::Object>, const OneByteString& key, uint32_t shard) {
  return core_ahead(shard, key.data, key.length);
}

/// Whether V8 has computed a string's hash, given the address of the hash field. If so, this very string object was probably
/// used as a key of a Map before. This is only a hint whether keeping answers pays: if V8 changed the layout of strings, only
/// time would be lost.
int32_t is_hash(const uint8_t* at) {
  uint32_t hash;
  std::memcpy(&hash, at, sizeof hash);
  return static_cast<int32_t>(~hash & 1);
}

/// In a flat string, hash and length come before the characters.
int32_t FastHashed(v8::Local<v8::Object>, const OneByteString& key, uint32_t) {
  return is_hash(key.data - 2 * sizeof(uint32_t));
}

/// Longest key that the slow callbacks look up; longer ones go through Node-API.
constexpr int kMaxKey = 1024;

int32_t look(const v8::FunctionCallbackInfo<v8::Value>& info, Entry entry) {
  if (!info[0]->IsString() || !info[1]->IsUint32()) return kOrdinary;
  v8::Local<v8::String> key = info[0].As<v8::String>();
  const int length = key->Length();
  if (length > kMaxKey || !key->IsOneByte()) return kOrdinary;
  uint8_t bytes[kMaxKey];
#if NODE_MAJOR_VERSION >= 24
  key->WriteOneByteV2(info.GetIsolate(), 0, static_cast<uint32_t>(length), bytes);
#else
  key->WriteOneByte(info.GetIsolate(), bytes, 0, length, v8::String::NO_NULL_TERMINATION);
#endif
  return entry(info[1].As<v8::Uint32>()->Value(), bytes, static_cast<uint32_t>(length));
}

v8::Local<v8::String> text(v8::Isolate* isolate, const char* value) {
  return v8::String::NewFromUtf8(isolate, value).ToLocalChecked();
}

using v8::internal::Address;
using v8::internal::Internals;

Address address_of(v8::Local<v8::Value> value) {
  Address tagged;
  std::memcpy(&tagged, *value, sizeof tagged);
  return tagged;
}

int kind_of(v8::Local<v8::Value> string) {
  return Internals::GetInstanceType(address_of(string)) & Internals::kStringRepresentationAndEncodingMask;
}

/// The kind of flat one-byte strings. Its number differs between majors, so it is read from a new string of that kind.
int flat_kind(v8::Isolate* isolate) {
  static const int kind = kind_of(text(isolate, "a string that owns its characters"));
  return kind;
}

/// Answers for strings that are not flat must not be kept: keeping such a string as a key would also keep the other strings or
/// the external memory that hold its characters.
int32_t get_of_any(const v8::FunctionCallbackInfo<v8::Value>& info) {
  const int32_t told = look(info, core_get);
  return told < 0 || kind_of(info[0]) == flat_kind(info.GetIsolate()) ? told : kNeverKeep;
}

/// In strings of all kinds, the hash field follows the map.
void SlowHashed(const v8::FunctionCallbackInfo<v8::Value>& info) {
  const Address at = address_of(info[0]) - v8::internal::kHeapObjectTag + v8::internal::kApiTaggedSize;
  info.GetReturnValue().Set(info[0]->IsString() ? is_hash(reinterpret_cast<const uint8_t*>(at)) : 0);
}

void SlowGet(const v8::FunctionCallbackInfo<v8::Value>& info) { info.GetReturnValue().Set(get_of_any(info)); }
void SlowHas(const v8::FunctionCallbackInfo<v8::Value>& info) { info.GetReturnValue().Set(look(info, core_has)); }

using Share = std::shared_ptr<v8::BackingStore>;

/// `slab(shard, buffer)`: makes the shard write its copies into the buffer's memory. There must be no view of the buffer yet.
void TakeSlab(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (!info[0]->IsUint32() || !info[1]->IsArrayBuffer()) return;
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::ArrayBuffer> buffer = info[1].As<v8::ArrayBuffer>();
  // With a detach key nobody can transfer the buffer; otherwise the new owner would find copies written into its memory.
  // Node.js 24 does the same for buffers that are marked as untransferable.
  buffer->SetDetachKey(v8::Symbol::New(isolate));
  auto* share = new Share(buffer->GetBackingStore());
  const auto release = [](void* held) { delete static_cast<Share*>(held); };
  const uint32_t shard = info[0].As<v8::Uint32>()->Value();
  if (core_slab(shard, (*share)->Data(), (*share)->ByteLength(), share, release) != 1) release(share);
}

/// Does nothing: in code that is not optimised, looking ahead gains nothing.
void SlowAhead(const v8::FunctionCallbackInfo<v8::Value>& info) { info.GetReturnValue().Set(0); }

constexpr CTypeInfo kArguments[] = {CTypeInfo::kV8Value, CTypeInfo::kSeqOneByteString, CTypeInfo::kUint32};
constexpr unsigned kCount = sizeof kArguments / sizeof *kArguments;

/// The symbol of the description that Node.js gave V8 of one of its own functions, which takes a one-byte string.
#if NODE_MAJOR_VERSION >= 24
constexpr char kReference[] =
    "_ZZN2v88internal28CFunctionBuilderWithFunctionINS_16CTypeInfoBuilderIjJEEEJNS2_INS_5LocalINS_5ValueEEEJEEES7_"
    "NS2_IRKNS_17FastOneByteStringEJEEES3_S3_NS2_IRNS_22FastApiCallbackOptionsEJEEEEE5BuildILNS_13CFunctionInfo"
    "19Int64RepresentationE0EEEDavE8instance";
constexpr CTypeInfo kReferenceArguments[] = {CTypeInfo::kV8Value, CTypeInfo::kV8Value,
                                             CTypeInfo::kSeqOneByteString, CTypeInfo::kUint32,
                                             CTypeInfo::kUint32, CTypeInfo::kOptions};
#elif NODE_MAJOR_VERSION >= 22
constexpr char kReference[] =
    "_ZZN2v88internal28CFunctionBuilderWithFunctionINS_16CTypeInfoBuilderIjJEEEJNS2_INS_5LocalINS_5ValueEEEJEEE"
    "NS2_IRKNS_17FastOneByteStringEJEEEEE5BuildILNS_13CFunctionInfo19Int64RepresentationE0EEEDavE8instance";
constexpr CTypeInfo kReferenceArguments[] = {CTypeInfo::kV8Value, CTypeInfo::kSeqOneByteString};
#else
constexpr char kReference[] =
    "_ZZN2v88internal28CFunctionBuilderWithFunctionINS_16CTypeInfoBuilderIjJEEEJNS2_INS_5LocalINS_5ValueEEEJEEE"
    "NS2_IRKNS_17FastOneByteStringEJEEEEE5BuildEvE8instance";
constexpr CTypeInfo kReferenceArguments[] = {CTypeInfo::kV8Value, CTypeInfo::kSeqOneByteString};
#endif

/// Memory for an object of V8, larger than the object is believed to be.
struct Room {
  alignas(16) unsigned char bytes[128];
  Room() { std::memset(bytes, 0xA5, sizeof bytes); }
  /// Whether a constructor wrote nothing behind the first `size` bytes.
  bool untouched_from(size_t size) const {
    for (size_t i = size; i < sizeof bytes; i++)
      if (bytes[i] != 0xA5) return false;
    return true;
  }
};

bool describes(const CFunctionInfo* info, CTypeInfo::Type result, const CTypeInfo* arguments, unsigned count) {
  if (!info->result.is(result) || info->count != count || info->arguments == nullptr) return false;
  return std::memcmp(info->arguments, arguments, count * sizeof *arguments) == 0;
}

/// Checks that V8's layouts are as declared here. Returns the name of what differs, or null.
const char* disagreement() {
  static Room info_room, function_room;
  const CTypeInfo result(CTypeInfo::kInt32);
  auto* info = new (info_room.bytes) CFunctionInfo(result, kCount, kArguments);
  if (!describes(info, CTypeInfo::kInt32, kArguments, kCount) || info->arguments != kArguments ||
      !info_room.untouched_from(sizeof *info))
    return "CFunctionInfo";
  auto* function = new (function_room.bytes) CFunction(reinterpret_cast<const void*>(FastGet), info);
  if (function->address != reinterpret_cast<const void*>(FastGet) || function->info != info ||
      !function_room.untouched_from(sizeof *function))
    return "CFunction";
  const auto* reference = static_cast<const CFunctionInfo*>(dlsym(RTLD_DEFAULT, kReference));
  if (reference == nullptr) return "reference";
  constexpr unsigned count = sizeof kReferenceArguments / sizeof *kReferenceArguments;
  if (!describes(reference, CTypeInfo::kUint32, kReferenceArguments, count)) return "CTypeInfo";
  return nullptr;
}

bool complete() {
  return core_get != nullptr && core_has != nullptr && core_ahead != nullptr && core_slab != nullptr;
}

/// `connect(path)`: finds the C functions of the addon that was loaded from `path`, and checks the layouts. Returns
/// `undefined`, or why the door stays shut.
void Connect(const v8::FunctionCallbackInfo<v8::Value>& args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::String::Utf8Value path(isolate, args[0]);
  const char* reason = "addon";
  // The addon is loaded already. This only finds it, and keeps it from being unloaded.
  if (void* addon = *path != nullptr ? dlopen(*path, RTLD_NOW | RTLD_NOLOAD) : nullptr) {
    core_get = reinterpret_cast<Entry>(dlsym(addon, "warmshard_fast_get_2"));
    core_has = reinterpret_cast<Entry>(dlsym(addon, "warmshard_fast_has_1"));
    core_ahead = reinterpret_cast<Entry>(dlsym(addon, "warmshard_fast_ahead_1"));
    core_slab = reinterpret_cast<decltype(core_slab)>(dlsym(addon, "warmshard_fast_slab_1"));
    reason = complete() ? disagreement() : "entries";
  }
  if (reason != nullptr) args.GetReturnValue().Set(text(isolate, reason));
}

/// `offer(target)`: puts the functions on the object `target`. To be called only after `connect` has succeeded.
void Offer(const v8::FunctionCallbackInfo<v8::Value>& args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!args[0]->IsObject() || !complete()) return;
  static const CFunctionInfo info(CTypeInfo(CTypeInfo::kInt32), kCount, kArguments);
  static const CFunction get(reinterpret_cast<const void*>(FastGet), &info);
  static const CFunction has(reinterpret_cast<const void*>(FastHas), &info);
  static const CFunction ahead(reinterpret_cast<const void*>(FastAhead), &info);
  static const CFunction hashed(reinterpret_cast<const void*>(FastHashed), &info);
  auto put = [&](const char* name, v8::FunctionCallback slow, const CFunction* function) {
    auto made = v8::FunctionTemplate::New(isolate, slow, v8::Local<v8::Value>(), v8::Local<v8::Signature>(), 2,
                                          v8::ConstructorBehavior::kThrow, v8::SideEffectType::kHasSideEffect, function);
    v8::Local<v8::Function> value;
    if (made->GetFunction(context).ToLocal(&value))
      args[0].As<v8::Object>()->Set(context, text(isolate, name), value).Check();
  };
  put("get", SlowGet, &get);
  put("has", SlowHas, &has);
  put("ahead", SlowAhead, &ahead);
  put("hashed", SlowHashed, &hashed);
  put("slab", TakeSlab, nullptr);
}

void put(v8::Local<v8::Object> exports, v8::Local<v8::Context> context, const char* name,
         v8::FunctionCallback callback) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  auto value = v8::FunctionTemplate::New(isolate, callback)->GetFunction(context);
  exports->Set(context, text(isolate, name), value.ToLocalChecked()).Check();
}

}  // namespace

NODE_MODULE_INIT(/* exports, module, context */) {
  put(exports, context, "connect", Connect);
  put(exports, context, "offer", Offer);
  put(exports, context, "offerCompiler", OfferCompiler);
}
