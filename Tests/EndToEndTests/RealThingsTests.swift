// A real engine with a real model behind the gateway, and a real client before it.

import Foundation
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct RealThingsTests {
  private func host(
    _ system: System, _ model: String, task: String, engine: String, path: String? = nil,
    options: [String] = []
  ) async throws {
    try await system.done("model", "onboard", model, "--task", task)
    let version = ["model", "add-version", "\(model):1", "--engine", engine, "--cpu-millis", "100"]
    let added = try await system.run(
      "wharf", version + (path.map { ["--path", $0] } ?? []) + options)
    #expect(added.status == .code(0), "\(added)")
    try await system.done("model", "publish", model, "--to", "internal")
    let name = model.split(separator: "/")[1]
    try await system.done(
      "deployment", "create", "\(name)", "--model", "\(model):1", "--wait", "--timeout", "60")
  }

  private func agreement(_ system: System, _ provider: String) async throws {
    try await system.done("provider", "register", provider)
    try await system.done(
      "agreement", "sign", provider, "--scope", "inference", "--audience", "internal", "--from",
      "2025-05-01")
  }

  @Test(.realEngine) func `two sentences alike are closer than two unlike`() async throws {
    let system = try System(programs: RealThings.programs)
    try await system.up(nodes: 1)
    try await agreement(system, "sentence-transformers")
    let model = "sentence-transformers/minilm"
    try await host(
      system, model, task: "embedding", engine: "llama-cpp-python",
      path: RealThings.embeddingModel, options: ["--argument=--embedding", "--argument=true"])
    try await system.done("team", "register", "search", "--audience", "internal")
    try await system.done("team", "grant", "search", model)
    let key = try await system.done("key", "issue", "search", "--name", "test", "-q")
    let vectors = try await eventually("the gateway routes to it") {
      try await system.embed(
        key, model,
        [
          "A cat sleeps on the sofa.", "A kitten is napping on the couch.",
          "The central bank raised interest rates.",
        ])
    }
    #expect(vectors.map(\.count) == [384, 384, 384])
    let alike = cosine(vectors[0], vectors[1])
    let unlike = cosine(vectors[0], vectors[2])
    #expect(alike > unlike + 0.2, "\(alike), \(unlike)")
    try await system.down()
  }

  private func cosine(_ left: [Double], _ right: [Double]) -> Double {
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).map(*).reduce(0, +) }
    return dot(left, right) / (dot(left, left) * dot(right, right)).squareRoot()
  }

  @Test(.realClient) func `the official client gets answers, and refusals as its own exceptions`()
    async throws
  {
    let system = try System()
    try await system.up(nodes: 1)
    try await agreement(system, "xai")
    for (model, task) in [
      ("xai/grok-3", "chat"), ("xai/grok-4", "chat"), ("xai/embed", "embedding"),
    ] {
      try await host(system, model, task: task, engine: "sim")
    }
    for team in ["copilot", "hurried"] {
      try await system.done("team", "register", team, "--audience", "internal")
    }
    for model in ["xai/grok-3", "xai/embed"] {
      try await system.done("team", "grant", "copilot", model)
    }
    try await system.done(
      "team", "grant", "hurried", "xai/grok-3", "--requests-per-minute", "2")
    let key = try await system.done("key", "issue", "copilot", "--name", "test", "-q")
    let limited = try await system.done("key", "issue", "hurried", "--name", "test", "-q")
    try await system.answered(key, "xai/grok-3")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("openai_client.py").path
    let client = try Child(
      ["\(RealThings.programs)/python", script],
      environment: system.folder.environment([
        "GATEWAY_URL": "http://127.0.0.1:\(system.gatewayPort)/v1", "GATEWAY_KEY": key,
        "CHAT_MODEL": "xai/grok-3", "EMBEDDING_MODEL": "xai/embed",
        "UNGRANTED_MODEL": "xai/grok-4", "LIMITED_KEY": limited,
      ]), folder: system.folder)
    #expect(try await client.waitForExit() == .code(0))
    #expect(client.output.hasSuffix("all held\n"), "\(client.output)\n\(client.errors)")
    try await system.down()
  }
}
