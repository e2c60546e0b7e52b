package batchrun.peer;

import java.sql.ResultSet;

import javax.sql.DataSource;

import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.datasource.init.DatabasePopulatorUtils;
import org.springframework.jdbc.datasource.init.ResourceDatabasePopulator;
import org.springframework.jdbc.support.JdbcUtils;
import org.springframework.jdbc.support.MetaDataAccessException;

/** The job repository's tables, by the script that Spring Batch brings for the database. */
final class RepositoryTables {

	private RepositoryTables() {
	}

	static void createIfMissing(DataSource dataSource, String platform) {
		if (!exist(dataSource)) {
			String script = "org/springframework/batch/core/schema-" + platform + ".sql";
			DatabasePopulatorUtils.execute(new ResourceDatabasePopulator(new ClassPathResource(script)), dataSource);
		}
	}

	private static boolean exist(DataSource dataSource) {
		try {
			return JdbcUtils.extractDatabaseMetaData(dataSource, metaData -> {
				String schema = metaData.getConnection().getSchema();
				try (ResultSet tables = metaData.getTables(null, schema, "batch_job_instance", null)) {
					return tables.next();
				}
			});
		}
		catch (MetaDataAccessException exception) {
			throw new IllegalStateException("cannot look for the job repository's tables", exception);
		}
	}

}
