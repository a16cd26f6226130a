// What ahead.cc offers.
#pragma once

#include <node.h>

namespace ahead_of {
void Begin(const v8::FunctionCallbackInfo<v8::Value>& info);
void Take(const v8::FunctionCallbackInfo<v8::Value>& info);
}  // namespace ahead_of
