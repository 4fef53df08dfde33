// What an engine is started with.

import Hosting
import Testing
import Wire

@testable import Agent

private let base = EngineCommand.Base(path: "/bin", home: "/root", language: "C")

@Suite struct `Commands of engines` {
  @Test func `fills in every placeholder and adds nothing of the agent's own environment`() throws {
    let attempt = assigned(
      "31.2.40", on: ["GPU-1", "GPU-2"],
      launch: launch(
        [
          "vllm", "serve", "--host=${host}", "--port=${port}", "--name", "${servedModelName}",
          "--tp=${deviceCount}", "--max-len=${contextLength}", "$HOME", "${host}:${port}",
        ], environment: ["VLLM_API_KEY": "${engineKey}", "LANG": "de_DE.UTF-8"]))
    let command = try EngineCommand(attempt, host: "10.0.0.4", port: 9007, base: base)
    #expect(
      command.arguments == [
        "vllm", "serve", "--host=10.0.0.4", "--port=9007", "--name", "xai/grok-3", "--tp=2",
        "--max-len=131072", "$HOME", "10.0.0.4:9007",
      ])
    #expect(
      command.environment == [
        "PATH": "/bin", "HOME": "/root", "LANG": "de_DE.UTF-8",
        "VLLM_API_KEY": "engine-key-of-31.2.40", "CUDA_VISIBLE_DEVICES": "GPU-1,GPU-2",
        "WHARF_DEVICES": "GPU-1,GPU-2", "WHARF_REPLICA": "31.2", "WHARF_ATTEMPT": "31.2.40",
      ])
  }

  @Test func `an engine without real devices sees none`() throws {
    let command = try EngineCommand(
      assigned("31.2.40", on: ["sim-3"]), host: "h", port: 1, base: base)
    #expect(command.environment["CUDA_VISIBLE_DEVICES"] == "")
    #expect(command.environment["WHARF_DEVICES"] == "sim-3")
  }

  @Test(arguments: [
    (
      "${weights}",
      "asks for ${weights}, which is none of: contextLength, deviceCount, engineKey, "
        + "host, modelPath, port, servedModelName"
    ),
    ("${modelPath}", "asks for ${modelPath}, and the model states no path of its weights"),
    ("${port", "has a '${' without its '}'"),
  ])
  func `a template that asks for what there is not says so`(argument: String, complaint: String) {
    #expect(throws: EngineCommand.Problem(description: "the template of engine sim \(complaint)")) {
      try EngineCommand(
        assigned("1.1.1", launch: launch(["x", argument])), host: "h", port: 1, base: base)
    }
  }

  @Test func `an option or a variable whose placeholder has no value is left out whole`() throws {
    var attempt = assigned(
      "1.1.1",
      launch: launch(
        ["x", "--context=${contextLength}", "--port=${port}"],
        environment: ["N_CTX": "${contextLength}", "KEY": "${engineKey}"]))
    attempt.contextLength = nil
    let command = try EngineCommand(attempt, host: "h", port: 1, base: base)
    #expect(command.arguments == ["x", "--port=1"])
    #expect(command.environment["N_CTX"] == nil)
    #expect(command.environment["KEY"] != nil)
  }

  @Test func `a template without a command says so`() {
    #expect(throws: EngineCommand.Problem.self) {
      try EngineCommand(assigned("1.1.1", launch: launch([])), host: "h", port: 1, base: base)
    }
  }
}
