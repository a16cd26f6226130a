// The floor: what calls into an addon cost on the bare platform, without a cache behind them.
//
// The measured functions use the C interface directly, because node-addon-api's wrappers cost some nanoseconds. The
// wrappers are only used to set up the addon.

#include <fcntl.h>
#include <napi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace {

constexpr size_t kLongestKey = 256;

// All state is per thread, so that every worker has its own.
// The window and the values in it, set by `configure`.
thread_local napi_ref window_ref = nullptr;
thread_local uint8_t* window_bytes = nullptr;
thread_local uint32_t value_count = 0;
thread_local uint32_t value_bytes = 0;
// The key that JavaScript has written with latin1Write.
thread_local uint8_t* shared_key = nullptr;
// Offset and length of the answer, in memory that JavaScript sees as a Uint32Array.
thread_local uint32_t* answer = nullptr;

uint64_t Hash(const char* bytes, size_t length) {
  uint64_t hash = 0x9e3779b97f4a7c15 ^ length;
  for (; length >= 8; bytes += 8, length -= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    hash = (hash ^ word) * 0xd6e8feb86659fd93;
    hash ^= hash >> 32;
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes, length);
  hash = (hash ^ rest) * 0xd6e8feb86659fd93;
  return hash ^ (hash >> 32);
}

uint32_t Offset(uint64_t hash) {
  return static_cast<uint32_t>(((hash >> 32) * value_count) >> 32) * value_bytes;
}

using Getter = napi_status (*)(napi_env, napi_value, char*, size_t, size_t*);

template <Getter get>
uint64_t KeyHash(napi_env env, napi_callback_info info) {
  napi_value key;
  size_t count = 1;
  char bytes[kLongestKey];
  size_t length = 0;
  napi_get_cb_info(env, info, &count, &key, nullptr, nullptr);
  get(env, key, bytes, sizeof bytes, &length);
  return Hash(bytes, length);
}

napi_value Int32(napi_env env, int32_t number) {
  napi_value value;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value Nothing(napi_env, napi_callback_info) { return nullptr; }

napi_value Number(napi_env env, napi_callback_info) { return Int32(env, 7); }

template <Getter get>
napi_value HashOf(napi_env env, napi_callback_info info) {
  return Int32(env, static_cast<int32_t>(KeyHash<get>(env, info) & 0x7fffffff));
}

template <Getter get>
napi_value Find(napi_env env, napi_callback_info info) {
  answer[1] = Offset(KeyHash<get>(env, info));
  answer[2] = value_bytes;
  return Int32(env, 0);
}

napi_value NativeView(napi_env env, napi_callback_info info) {
  uint32_t offset = Offset(KeyHash<napi_get_value_string_latin1>(env, info));
  napi_value window, view;
  napi_get_reference_value(env, window_ref, &window);
  napi_create_typedarray(env, napi_uint8_array, value_bytes, window, offset, &view);
  return view;
}

napi_value BufferCopy(napi_env env, napi_callback_info info) {
  uint32_t offset = Offset(KeyHash<napi_get_value_string_latin1>(env, info));
  napi_value copy;
  napi_create_buffer_copy(env, value_bytes, window_bytes + offset, nullptr, &copy);
  return copy;
}

// Allocates each time, because V8 refuses two external buffers with the same address.
uint8_t* Fresh(napi_env env, napi_callback_info info) {
  auto* memory = new uint8_t[value_bytes];
  std::memcpy(memory, window_bytes + Offset(KeyHash<napi_get_value_string_latin1>(env, info)), value_bytes);
  return memory;
}

void Free(napi_env, void* data, void*) { delete[] static_cast<uint8_t*>(data); }

using MakeExternal = napi_status (*)(napi_env, uint8_t*, napi_value*);

template <MakeExternal make>
napi_value External(napi_env env, napi_callback_info info) {
  uint8_t* memory = Fresh(env, info);
  napi_value value;
  if (make(env, memory, &value) == napi_ok) return value;
  delete[] memory;
  return nullptr;
}

napi_status MakeArrayBuffer(napi_env env, uint8_t* memory, napi_value* value) {
  return napi_create_external_arraybuffer(env, memory, value_bytes, Free, nullptr, value);
}

napi_status MakeBuffer(napi_env env, uint8_t* memory, napi_value* value) {
  return napi_create_external_buffer(env, value_bytes, memory, Free, nullptr, value);
}

// JavaScript has written the key to shared memory; only its length is passed.
napi_value FindShared(napi_env env, napi_callback_info info) {
  napi_value number;
  size_t count = 1;
  uint32_t length = 0;
  napi_get_cb_info(env, info, &count, &number, nullptr, nullptr);
  napi_get_value_uint32(env, number, &length);
  answer[1] = Offset(Hash(reinterpret_cast<const char*>(shared_key), length < kLongestKey ? length : kLongestKey));
  answer[2] = value_bytes;
  return Int32(env, 0);
}

// configure(count, bytes): makes the window, fills it and returns it.
napi_value Configure(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_uint32(env, arguments[0], &value_count);
  napi_get_value_uint32(env, arguments[1], &value_bytes);
  size_t total = static_cast<size_t>(value_count) * value_bytes;
  napi_value window;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, total, &data, &window) != napi_ok) return nullptr;
  window_bytes = static_cast<uint8_t*>(data);
  for (size_t i = 0; i < total; i++) window_bytes[i] = static_cast<uint8_t>(i * 31);
  if (window_ref != nullptr) napi_delete_reference(env, window_ref);
  napi_create_reference(env, window, 1, &window_ref);
  return window;
}

// sharedWords(path): maps one page of a file that processes share.
napi_value SharedWords(napi_env env, napi_callback_info info) {
  constexpr size_t kPage = 4096;
  napi_value argument, words;
  size_t count = 1;
  char path[4096];
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_string_utf8(env, argument, path, sizeof path, nullptr);
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  void* page = ftruncate(file, kPage) == 0 ? mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
  close(file);
  if (page == MAP_FAILED) return nullptr;
  napi_finalize unmap = [](napi_env, void* data, void*) { munmap(data, kPage); };
  return napi_create_external_arraybuffer(env, page, kPage, unmap, nullptr, &words) == napi_ok ? words : nullptr;
}

void Export(Napi::Env env, Napi::Object exports, const char* name, napi_callback call) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
  exports.Set(name, function);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto exchange = Napi::ArrayBuffer::New(env, 64);
  answer = static_cast<uint32_t*>(exchange.Data());
  auto key = Napi::Buffer<uint8_t>::New(env, kLongestKey);
  shared_key = key.Data();
  exports.Set("exchange", exchange);
  exports.Set("keyBuffer", key);

  Export(env, exports, "configure", Configure);
  Export(env, exports, "nothing", Nothing);
  Export(env, exports, "int32", Number);
  Export(env, exports, "hashLatin1", HashOf<napi_get_value_string_latin1>);
  Export(env, exports, "hashUtf8", HashOf<napi_get_value_string_utf8>);
  Export(env, exports, "findLatin1", Find<napi_get_value_string_latin1>);
  Export(env, exports, "findUtf8", Find<napi_get_value_string_utf8>);
  Export(env, exports, "nativeView", NativeView);
  Export(env, exports, "bufferCopy", BufferCopy);
  Export(env, exports, "findShared", FindShared);
  Export(env, exports, "externalBuffer", External<MakeBuffer>);
  Export(env, exports, "sharedWords", SharedWords);
  Export(env, exports, "externalArrayBuffer", External<MakeArrayBuffer>);
  return exports;
}

}  // namespace

NODE_API_MODULE(floor, Init)
