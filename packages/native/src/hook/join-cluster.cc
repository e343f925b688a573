// One run on several processes: the context that tfjs-node makes joins a TensorFlow cluster as it is made, before any tensor exists
// and before tfjs-node asks for its devices. The compiler puts these two functions in the place of TensorFlow's (build-addon.ts).
// Where the variable G2D_SERVER_DEF is not set, they do what TensorFlow's do and nothing else.
#undef TFE_NewContext
#undef TF_DeviceListCount
#include <cstdlib>
#include <string>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

extern "C" {

// Of TensorFlow's experimental header, which needs more than the wheel has.
void TFE_EnableCollectiveOps(TFE_Context* context, const void* server_def, size_t length, TF_Status* status);

static bool joined = false;

// The variable holds a serialized ServerDef in hexadecimal digits: no file is left behind.
static std::string server_def(const char* digits) {
  std::string bytes;
  for (; digits[0] && digits[1]; digits += 2)
    bytes += static_cast<char>(std::strtol(std::string(digits, 2).c_str(), nullptr, 16));
  return bytes;
}

TFE_Context* g2d_new_context(const TFE_ContextOptions* options, TF_Status* status) {
  TFE_Context* context = TFE_NewContext(options, status);
  const char* digits = getenv("G2D_SERVER_DEF");
  if (!digits || TF_GetCode(status) != TF_OK) return context;
  const std::string bytes = server_def(digits);
  // What goes wrong stays in the status, which tfjs-node makes an error of JavaScript.
  TFE_EnableCollectiveOps(context, bytes.data(), bytes.size(), status);
  joined = TF_GetCode(status) == TF_OK;
  return context;
}

// A cluster lists the devices of all its processes, the own ones first. tfjs-node places tensors on any that it sees.
int g2d_own_devices(const TF_DeviceList* list) {
  const int all = TF_DeviceListCount(list);
  if (!joined) return all;
  TF_Status* status = TF_NewStatus();
  std::string own;
  int count = 0;
  for (; count < all; count++) {
    const std::string name = TF_DeviceListName(list, count, status);
    const std::string process = name.substr(0, name.find("/device:"));
    if (own.empty()) own = process;
    if (process != own) break;
  }
  TF_DeleteStatus(status);
  return count;
}

}
