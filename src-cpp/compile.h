// What fast.cc puts on the binary's exports of compile.cc.

#pragma once

#include <node.h>

/// `offerCompiler(target, path, reference)`: puts `compile` and `code` on an object. `path` is the addon's, `reference` a
/// function that Node's own loader has compiled. Returns nothing, or why there is nothing to be had.
void OfferCompiler(const v8::FunctionCallbackInfo<v8::Value>& info);
