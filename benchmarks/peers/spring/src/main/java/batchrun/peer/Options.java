package batchrun.peer;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What the command line asks for. */
record Options(String input, String url, String user, String table, int chunk, Processor processor, Mode mode,
		List<String> key, long run) {

	private static final Set<String> NAMES = Set.of("input", "url", "user", "table", "chunk", "processor", "mode", "key",
			"run");

	enum Processor {

		NONE, FILTER, FUNCTION

	}

	enum Mode {

		INSERT, UPSERT

	}

	/** Without {@code --run} each start is a run of its own. */
	static Options parse(String[] arguments) {
		Map<String, String> given = pairs(arguments);
		return new Options(required(given, "input"), required(given, "url"), given.get("user"),
				given.getOrDefault("table", "lineitem"), Integer.parseInt(given.getOrDefault("chunk", "1000")),
				Processor.valueOf(given.getOrDefault("processor", "none").toUpperCase(Locale.ROOT)),
				Mode.valueOf(given.getOrDefault("mode", "insert").toUpperCase(Locale.ROOT)),
				List.of(given.getOrDefault("key", "l_orderkey,l_linenumber").split(",")),
				Long.parseLong(given.getOrDefault("run", String.valueOf(System.currentTimeMillis()))));
	}

	boolean isPostgres() {
		return this.url.startsWith("jdbc:postgresql:");
	}

	boolean hasRevenue() {
		return this.processor != Processor.NONE;
	}

	private static Map<String, String> pairs(String[] arguments) {
		Map<String, String> given = new HashMap<>();
		for (int i = 0; i < arguments.length; i += 2) {
			if (!arguments[i].startsWith("--") || i + 1 == arguments.length) {
				throw new IllegalArgumentException("expected --NAME VALUE at: " + arguments[i]);
			}
			given.put(arguments[i].substring(2), arguments[i + 1]);
		}
		Set<String> unknown = new HashSet<>(given.keySet());
		unknown.removeAll(NAMES);
		if (!unknown.isEmpty()) {
			throw new IllegalArgumentException("unknown options: " + unknown);
		}
		return given;
	}

	private static String required(Map<String, String> given, String name) {
		String value = given.get(name);
		if (value == null) {
			throw new IllegalArgumentException("--" + name + " is missing");
		}
		return value;
	}

}
