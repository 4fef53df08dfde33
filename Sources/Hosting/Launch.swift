// How an engine is started: its template, resolved when a model version is added and stored with it,
// so that the log alone says what runs. The agent fills in what only it knows (host, port).

package struct Launch: Codable, Equatable, Sendable {
  /// Which template this came from: `sim`, `vllm` …
  package var engine: Name
  /// Program and arguments, with placeholders `${host}`, `${port}`, `${servedModelName}`,
  /// `${deviceCount}`, `${contextLength}`, `${modelPath}`, `${engineKey}`.
  package var command: [String]
  /// Added to a clean environment; the same placeholders.
  package var environment: [String: String]
  package var readiness: Readiness
  /// After SIGTERM, before SIGKILL.
  package var stopGraceSeconds: Int

  package struct Readiness: Codable, Equatable, Sendable {
    /// `GET` of this path answers 200 when ready.
    package var path: String
    /// Ready only when `GET /v1/models` also lists the served name.
    package var listsModel: Bool
    package var periodMilliseconds: Int
    /// Given up when not ready after this long.
    package var deadlineSeconds: Int

    package init(path: String, listsModel: Bool, periodMilliseconds: Int, deadlineSeconds: Int) {
      self.path = path
      self.listsModel = listsModel
      self.periodMilliseconds = periodMilliseconds
      self.deadlineSeconds = deadlineSeconds
    }
  }

  package init(
    engine: Name, command: [String], environment: [String: String], readiness: Readiness,
    stopGraceSeconds: Int
  ) {
    self.engine = engine
    self.command = command
    self.environment = environment
    self.readiness = readiness
    self.stopGraceSeconds = stopGraceSeconds
  }
}
