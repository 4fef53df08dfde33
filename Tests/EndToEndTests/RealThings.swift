// What is real and not ours: an engine and a client, installed by Deploy/install-real-engine and
// Deploy/install-real-client into .venv-engine. Where it is absent, the tests that need it say so and are skipped.

import Foundation
import Testing

enum RealThings {
  /// The Python environment with llama.cpp's server and the official OpenAI client.
  static let environment = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".venv-engine").path
  static let programs = environment + "/bin"

  static func has(_ module: String) -> Bool {
    let libraries =
      (try? FileManager.default.contentsOfDirectory(atPath: "\(environment)/lib")) ?? []
    return libraries.contains {
      FileManager.default.fileExists(atPath: "\(environment)/lib/\($0)/site-packages/\(module)")
    }
  }

  /// A model that embeds sentences, as the engine's own file.
  static var embeddingModel: String? {
    let folder = "\(environment)/models"
    return (try? FileManager.default.contentsOfDirectory(atPath: folder))?
      .filter { $0.hasSuffix(".gguf") }.sorted().first.map { "\(folder)/\($0)" }
  }

  static let noEngine: Comment =
    "no real engine is installed: ./Deploy/install-real-engine FOLDER does so (CONTRIBUTING.md)"
  static let noClient: Comment =
    "no real client is installed: ./Deploy/install-real-client does so (CONTRIBUTING.md)"
}

extension Trait where Self == ConditionTrait {
  static var realEngine: Self {
    .enabled(RealThings.noEngine) {
      RealThings.has("llama_cpp") && RealThings.embeddingModel != nil
    }
  }
  static var realClient: Self { .enabled(RealThings.noClient) { RealThings.has("openai") } }
}
