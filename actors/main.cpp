#include "actors/program.hpp"

int main(int argc, char** argv) {
  return concert::actors::run_program(argc, argv);
}
