// What is told of engines, models and their versions.

import Hosting

enum ModelSentences {
  static let all: [Teller] = [
    Teller(EngineDefined.self) { event, _ in
      "Engine \(event.name) was defined for \(Sentences.list(event.tasks.map(\.rawValue)))."
    },
    Teller(ModelOnboarded.self) { event, telling in
      "Model \(telling.subject) was onboarded for \(event.task.rawValue)"
        + (event.contextLength.map { ", with a context of \(Sentences.count($0, "token"))" } ?? "")
        + "; it is under embargo."
    },
    Teller(ModelVersionAdded.self) { event, telling in
      "Version \(event.version) was added to \(telling.subject): engine \(event.launch.engine), "
        + "\(Sentences.count(event.needs.devices, "device")) with \(event.needs.deviceMemory) each."
    },
    Teller(ModelPublished.self) { event, telling in
      "\(telling.subject) was opened to \(event.audience.rawValue) teams, stage "
        + "\(event.stage.rawValue)."
    },
    Teller(ModelAliased.self) { event, telling in
      "\(telling.subject):\(event.alias) now stands for version \(event.version)."
    },
    Teller(ModelUnaliased.self) { event, telling in
      "\(telling.subject):\(event.alias) stands for nothing any more."
    },
    Teller(ModelDeprecated.self) { _, telling in
      "\(telling.subject) was deprecated: nothing new is granted or deployed."
    },
    Teller(ModelRetired.self) { _, telling in "\(telling.subject) was retired." },
  ]
}
