// The function of compile.cc that fast.cc exports from the binary.

#pragma once

#include <node.h>

/// `offerCompiler(target, path, reference)`: puts `compile` and `code` on the object `target`. `path` is the path of the
/// addon, `reference` a function that Node's own loader has compiled. Returns `undefined`, or why there is no compiler.
void OfferCompiler(const v8::FunctionCallbackInfo<v8::Value>& info);
