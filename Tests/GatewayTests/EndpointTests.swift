// A model answers at the paths of its task, and a request at another is told where to ask.

import HTTPTypes
import Hosting
import NIOHTTP1
import TestTools
import Testing
import Wire

@testable import Gateway

@Suite struct EndpointTests {
  private func denial(_ task: String, _ endpoint: Endpoint, key: String = Sample.key) -> Denial? {
    var policy = Sample.policy()
    policy.models[0].task = task
    let decision = PolicyIndex(policy).decide(
      keyDigest: Sample.digest(key), model: "xai/grok-3", at: endpoint, now: Sample.now, lease: true
    )
    if case .refuse(let denial) = decision { return denial } else { return nil }
  }

  @Test(arguments: [
    ("chat", [Endpoint.chat, .completions]), ("completion", [.completions]),
    ("embedding", [.embeddings]), ("a task of tomorrow", Endpoint.allCases),
  ])
  func `a model answers at the paths of its task alone`(_ task: String, _ paths: [Endpoint]) throws
  {
    for endpoint in Endpoint.allCases {
      let denial = denial(task, endpoint)
      #expect((denial == nil) == paths.contains(endpoint), "\(task) at \(endpoint.path)")
      guard let denial else { continue }
      #expect(denial.status == 400 && denial.code == "model_task_mismatch")
      #expect(denial.message.contains(paths.map(\.path).joined(separator: " or ")))
    }
  }

  @Test func `every task has a path`() {
    for task in ModelTask.allCases { #expect(!Endpoint.all(of: task.rawValue).isEmpty) }
  }

  @Test func `who may not use the model learns nothing of its task`() {
    #expect(denial("chat", .embeddings, key: "nobody's")?.code == "invalid_api_key")
    let index = PolicyIndex(Sample.policy())
    let refused = index.decide(
      keyDigest: Sample.digest(Sample.key), model: "xai/grok-mini", at: .embeddings,
      now: Sample.now, lease: true)
    guard case .refuse(let denial) = refused else {
      Issue.record("it is let through")
      return
    }
    #expect(denial.code == "notGranted")
  }

  @Test func `a model with no replica is asked at its own paths, too`() {
    var policy = Sample.policy()
    policy.served = []
    let refused = PolicyIndex(policy).decide(
      keyDigest: Sample.digest(Sample.key), model: "xai/grok-3", at: .embeddings, now: Sample.now,
      lease: true)
    guard case .refuse(let denial) = refused else {
      Issue.record("it is let through")
      return
    }
    #expect(denial.code == "model_task_mismatch", "trying again would be in vain")
  }
}

extension WithProcesses {
  @Suite struct TaskTests {
    private static let embedding = #"{"input":["a","b"],"model":"xai/grok-3"}"#

    @Test func `embeddings come from a model for embeddings, and from no other`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        let refused = try await gateway.send(.POST, "/v1/embeddings", body: Self.embedding)
        #expect(refused.status == 400 && refused.code == "model_task_mismatch")
        #expect(
          refused.message
            == "The model 'xai/grok-3' does not answer at /v1/embeddings, since its task is chat: "
            + "ask it at /v1/chat/completions or /v1/completions.")
        control.policy = control.policy.next { $0.models[0].task = "embedding" }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        let reply = try await gateway.send(.POST, "/v1/embeddings", body: Self.embedding)
        #expect(reply.status == 200 && reply.body.contains(#""embedding""#), "\(reply.body)")
        #expect(try await gateway.chat().code == "model_task_mismatch")
      }
    }
  }
}
