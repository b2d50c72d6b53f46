// The header a second time in one program: everything in it is there once.
#include <gptimage.hpp>
#include <gptimage.hpp>

gptimage::GenerateRequest request_of_another_unit() {
  return gptimage::GenerateRequest("A hat").quality("low");
}
