//! Serves the board at <http://127.0.0.1:8081>, with its data in `board.db`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (engine, store) = board::engine("board.db").await?;
    println!("a board at http://127.0.0.1:8081/?ann, data in board.db");
    riverrun::serve(board::app(&engine, store), "127.0.0.1:8081").await?;
    engine.close().await;
    Ok(())
}
