// The engine templates of this folder, embedded in wharfd, which defines those that the log lacks.

package enum EngineTemplates {
  /// File name and text of each.
  package static let all: [(file: String, text: String)] = [
    ("sim.yaml", text(PackageResources.sim_yaml)),
    ("vllm.yaml", text(PackageResources.vllm_yaml)),
    ("sglang.yaml", text(PackageResources.sglang_yaml)),
    ("llama-cpp.yaml", text(PackageResources.llama_cpp_yaml)),
    ("llama-cpp-python.yaml", text(PackageResources.llama_cpp_python_yaml)),
    ("tei.yaml", text(PackageResources.tei_yaml)),
  ]

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
