// A small shop on Spring and HikariCP, watched by two lines.

// docs: begin spring-app
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import java.net.InetSocketAddress;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import pgpoolstats.PgpoolStats;

public class shop_spring {
    @Bean
    static BeanPostProcessor watching() {
        return new BeanPostProcessor() {
            @Override
            public Object postProcessBeforeInitialization(Object bean, String name) {
                return bean;
            }

            @Override
            public Object postProcessAfterInitialization(Object bean, String name) {
                if (bean instanceof DataSource)
                    PgpoolStats.watch(bean, "shop_spring");
                return bean;
            }
        };
    }

    @Bean(destroyMethod = "close")
    DataSource pool() {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(System.getenv("JDBC_URL"));
        pool.setUsername("app");
        pool.setPassword(System.getenv("PGPASSWORD"));
        pool.setMaximumPoolSize(2);
        return pool;
    }

    @Bean
    JdbcTemplate jdbc(DataSource pool) {
        return new JdbcTemplate(pool);
    }

    public static void main(String[] args) throws Exception {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(shop_spring.class);
        context.registerShutdownHook();
        JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);

        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
        server.createContext("/", request -> {
            jdbc.queryForObject("SELECT 1", Integer.class);
            byte[] answer = String.valueOf(ProcessHandle.current().pid()).getBytes();
            request.sendResponseHeaders(200, answer.length);
            request.getResponseBody().write(answer);
            request.close();
        });
        server.start();
    }
}
// docs: end
